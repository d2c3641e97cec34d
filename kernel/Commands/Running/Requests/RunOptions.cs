using System.CommandLine;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The options of <c>researchkit run</c>.</summary>
internal sealed class RunOptions
{
    public Option<string[]> Parameters { get; } = new("--parameter", "-p")
    {
        Description = "Sets a variable that the cell tagged 'parameters' declares, in each notebook. May be given several times.",
        HelpName = "name=value",
    };

    public Option<bool> Fast { get; } = new("--fast")
    {
        Description = "Uses the fast settings in the notebook's metadata, for a test run of seconds; -p overrides them.",
    };

    public Option<string> Output { get; } = new("--output", "-o")
    {
        Description = "The folder to write to; several notebooks get a subfolder each. Default: runs/<notebook>/<time>.",
        HelpName = "FOLDER",
    };

    public Option<bool> Place { get; } = new("--in-place")
    {
        Description = "Also writes the outputs back into the notebook, even if a cell failed. An interrupted run "
            + "leaves the notebook as it was.",
    };

    public Option<bool> KeepGoing { get; } = new("--keep-going")
    {
        Description = "Continues after a failing cell. (A failing notebook never stops the other notebooks.)",
    };

    public Option<string> Junit { get; } = new("--junit")
    {
        Description = "Also writes the results as JUnit XML: a test suite per notebook, a test case per code cell.",
        HelpName = "FILE",
    };

    /// <summary>
    /// Hidden: this process is the child of another process of this program, which holds the other end of this pipe. The
    /// run stops when the pipe is closed.
    /// </summary>
    public Option<string> Child { get; } = new("--until-pipe-ends") { Hidden = true };

    /// <summary>
    /// Hidden: the output goes to a terminal that can redraw. The child cannot see that itself, because its stderr is
    /// redirected.
    /// </summary>
    public Option<bool> OnTerminal { get; } = new("--on-terminal") { Hidden = true };

    public Option<string> Kernels { get; } = GivenKernels.Option();

    public Option<bool> Portable { get; } = PortableRun.Option();

    public BatchOptions Batch { get; } = new();

    public void AddTo(Command command)
    {
        command.Arguments.Add(Batch.Notebooks);
        Option[] all =
            [Parameters, Fast, Output, Place, KeepGoing, Kernels, Portable, Batch.Timeout, Batch.Jobs, Junit, Child, OnTerminal];
        foreach (var option in all) command.Options.Add(option);
    }
}
