using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Commands;

/// <summary>The <c>researchkit</c> command line.</summary>
public static class CommandLine
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["researchkit"] = ["researchkit new my-study", "researchkit run my-study.ipynb", "researchkit verify notebooks"],
        [RunsCommand.CompareName] = RunsCommand.CompareExamples,
    };

    /// <summary>Runs one command and returns its exit code.</summary>
    /// <param name="args">The arguments after <c>researchkit</c>.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="cancellation">Interrupts the command, as Ctrl+C does.</param>
    public static async Task<int> InvokeAsync(
        string[] args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or ExamplesHelp or VersionAction))
        {
            await error.WriteLineAsync($"{parsed.Errors[0].Message} See researchkit --help.").ConfigureAwait(false);
            return ExitCodes.BadInput;
        }
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromSeconds(20),   // time for an interrupted run to save its outputs
        };
        try
        {
            return await parsed.InvokeAsync(configuration, cancellation).ConfigureAwait(false);
        }
        catch (Exception refused)
            when (refused is ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(refused.Message).ConfigureAwait(false);
            return ExitCodes.BadInput;
        }
        // a static constructor of the kit rejected an environment variable
        catch (TypeInitializationException refused)
            when (refused.GetBaseException() is NotSupportedException or InvalidOperationException)
        {
            await error.WriteLineAsync(refused.GetBaseException().Message).ConfigureAwait(false);
            return ExitCodes.BadInput;
        }
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Runs C# notebooks, verifies them, and exports them as HTML pages.");
        Add(root, RunCommand.Create(), RunCommand.Examples);
        Add(root, VerifyCommand.Create(), VerifyCommand.Examples);
        Add(root, NewCommand.Create(), NewCommand.Examples);
        Add(root, ExportCommand.Create(), ExportCommand.Examples);
        Add(root, KernelCommand.Create(), KernelCommand.Examples);
        Add(root, RunsCommand.Create(), RunsCommand.Examples);
        Add(root, DoctorCommand.Create(), DoctorCommand.Examples);
        Add(root, DataSetsCommand.Create(), DataSetsCommand.Examples);
        root.Options.OfType<HelpOption>().Single().Action = new ExamplesHelp();
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction();
        return root;
    }

    private static void Add(RootCommand root, Command command, string[] examples)
    {
        root.Subcommands.Add(command);
        Examples[command.Name] = examples;
    }

    /// <summary>Prints the generated help, followed by example command lines.</summary>
    private sealed class ExamplesHelp : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var command = parseResult.CommandResult.Command;
            var (console, output) = (parseResult.InvocationConfiguration, parseResult.InvocationConfiguration.Output);
            console.Output = new StringWriter();
            var result = new HelpAction().Invoke(parseResult);
            output.Write(console.Output.ToString()!.Replace(RootCommand.ExecutableName, "researchkit", StringComparison.Ordinal));
            console.Output = output;
            output.WriteLine("Examples:");
            foreach (var example in Examples.GetValueOrDefault(command is RootCommand ? "researchkit" : command.Name)
                ?? KernelCommand.Examples)
                output.WriteLine($"  {example}");
            return result;
        }
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProductVersion.Text);
            return ExitCodes.Success;
        }
    }
}
