using System.CommandLine;
using ResearchKit.Kernel.Commands.Running;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit run</c>: executes a notebook from top to bottom and keeps what came of it.</summary>
internal static class RunCommand
{
    public static readonly string[] Examples =
    [
        "researchkit run notebooks/01-train-a-gpt.ipynb",
        "researchkit run notebooks/01-train-a-gpt.ipynb -p steps=100 -p learningRate=0.001",
        "researchkit run notebooks/01-train-a-gpt.ipynb --fast",
        "researchkit run study.ipynb --output results/study",
    ];

    public static Command Create()
    {
        var notebook = new Argument<string>("NOTEBOOK") { Description = "The .ipynb file; it is read, never changed." };
        var parameters = new Option<string[]>("--parameter", "-p")
        {
            Description = "Sets a variable of the cell tagged 'parameters'. May be given several times.",
            HelpName = "name=value",
        };
        var fast = new Option<bool>("--fast") { Description = "Begins with the notebook's own settings for a run of seconds, to see whether it runs." };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The folder to write to; runs/<notebook>/<time> where not given.",
            HelpName = "FOLDER",
        };
        var command = new Command("run", "Executes a notebook; writes it with its outputs, as an HTML page, and a record of the run.")
        {
            notebook, parameters, fast, output,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            new RunRequest(parsed.GetRequiredValue(notebook), Settings(parsed.GetValue(parameters) ?? []), parsed.GetValue(fast), parsed.GetValue(output)),
            parsed.InvocationConfiguration, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, InvocationConfiguration console, CancellationToken cancellation)
    {
        var run = NotebookRun.Prepare(request);
        var progress = TerminalProgress.IsPossible(console.Output) ? (IRunProgress)new TerminalProgress() : new PlainProgress(console.Output);
        RunResult result;
        await using (progress.ConfigureAwait(false))
            result = await run.ExecuteAsync(progress, cancellation).ConfigureAwait(false);

        if (result.Failure is { } failure) await console.Error.WriteLineAsync(failure).ConfigureAwait(false);
        if (result.Status == RunStatus.Interrupted) await console.Error.WriteLineAsync("Interrupted; what was done is saved.").ConfigureAwait(false);
        foreach (var file in result.Files) await console.Output.WriteLineAsync(file).ConfigureAwait(false);
        return result.Status switch
        {
            RunStatus.Succeeded => ExitCodes.Success,
            RunStatus.Interrupted => ExitCodes.Interrupted,
            _ => ExitCodes.CellFailed,
        };
    }

    private static Dictionary<string, string> Settings(string[] given)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var setting in given)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new ArgumentException($"-p {setting}: expected name=value, such as -p steps=100.");
            settings[setting[..at].Trim()] = setting[(at + 1)..];
        }
        return settings;
    }
}
