using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>
/// The magic commands, such as <c>#!time</c>, with the names and arguments of .NET Interactive.
/// </summary>
internal sealed class SessionMagics(SessionLanguages languages, string folder)
{
    private static readonly Func<MagicCall, Command>[] All =
    [
        AboutMagic.Create, ImportMagic.Create, ListMagic.Create, SetMagic.Create, ShareMagic.Create, TimeMagic.Create,
        WhoMagic.Create, WhoMagic.CreateLong,
    ];

    /// <summary>All languages and magic commands with their descriptions.</summary>
    public IEnumerable<(string Name, string Does)> Names => ListMagic.Rows(languages, Commands(null!));

    /// <summary>Runs a magic command.</summary>
    /// <param name="part">The line of the command.</param>
    /// <param name="run">The running cell.</param>
    /// <param name="execute">Runs code in a language as a part of the cell.</param>
    /// <exception cref="CellException">There is no such command, or its arguments are invalid.</exception>
    public async Task RunAsync(MagicPart part, CellRun run, Func<string, string, Task> execute)
    {
        var call = new MagicCall(languages, folder, run, part.Language, execute);
        var root = new RootCommand { Commands(call) };
        root.Directives.Clear();
        if (!root.Subcommands.Any(command => command.Name == part.Name))
            throw Wrong(part, $"there is no such command here; #!lsmagic lists them.");
        string[] arguments = [part.Name, .. CommandLineParser.SplitCommandLine(part.Arguments)];
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
            throw Wrong(part, $"{parsed.Errors[0].Message} #!{part.Name} -h tells what it takes.");
        using var help = new StringWriter();
        try
        {
            var console = new InvocationConfiguration { Output = help, Error = help, EnableDefaultExceptionHandler = false };
            await parsed.InvokeAsync(console, run.Scope.Cancellation).ConfigureAwait(false);
        }
        catch (Exception refused)
            when (refused is ArgumentException or KeyNotFoundException or IOException or InvalidDataException
                or InvalidOperationException or NotSupportedException or TimeoutException)
        {
            throw Wrong(part, refused.Message);
        }
        if (help.ToString() is { Length: > 0 } text)
            Console.Write(text.Replace($"{RootCommand.ExecutableName} ", "#!", StringComparison.Ordinal));
    }

    private static List<Command> Commands(MagicCall call) => [.. All.Select(create => create(call))];

    private static CellException Wrong(MagicPart part, string message) =>
        CellException.Plain("MagicError", $"({part.Line},1): #!{part.Name}: {message}", part.Line);
}

/// <summary>Allows a list of commands in a collection initializer.</summary>
internal static class CommandLists
{
    public static void Add(this RootCommand root, IEnumerable<Command> commands)
    {
        foreach (var command in commands) root.Subcommands.Add(command);
    }
}
