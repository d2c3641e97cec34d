using System.CommandLine;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>What <c>researchkit run</c> can be asked.</summary>
internal sealed class RunOptions
{
    public Option<string[]> Parameters { get; } = new("--parameter", "-p")
    {
        Description = "Sets a variable of the cell tagged 'parameters', in each notebook. May be given several times.",
        HelpName = "name=value",
    };

    public Option<bool> Fast { get; } = new("--fast")
    {
        Description = "Begins with the notebook's own settings for a run of seconds, to see whether it runs.",
    };

    public Option<string> Output { get; } = new("--output", "-o")
    {
        Description = "The folder to write to, with one below it for each of several notebooks; runs/<notebook>/<time> where not "
            + "given.",
        HelpName = "FOLDER",
    };

    public Option<bool> Place { get; } = new("--in-place")
    {
        Description = "Also writes the outputs back into the notebook when its run has ended, failed or not; an interrupted one "
            + "is left as it was.",
    };

    public Option<bool> KeepGoing { get; } = new("--keep-going")
    {
        Description = "Runs the cells after a failing one too. (A failing notebook never keeps the other notebooks from "
            + "running.)",
    };

    public Option<string> Junit { get; } = new("--junit")
    {
        Description = "Also writes the results as JUnit XML: a suite for each notebook, a case for each code cell.",
        HelpName = "FILE",
    };

    /// <summary>Says that another process of this program started it, which holds the other end of this pipe.</summary>
    public Option<string> Child { get; } = new("--until-pipe-ends") { Hidden = true };

    /// <summary>Says that the output of this process is a terminal that can redraw, which its own stderr does not show.</summary>
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
