using System.CommandLine;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!lsmagic</c>: lists the languages and magic commands.</summary>
internal static class ListMagic
{
    public static Command Create(MagicCall call)
    {
        var command = new Command("lsmagic", "Lists the languages and magic commands.");
        command.SetAction(parsed =>
        {
            var commands = ((RootCommand)parsed.RootCommandResult.Command).Subcommands;
            MagicTable.Show(call.Run.Scope.Outputs, ["Name", "What it does"],
                Rows(call.Languages, commands).Select(row => new[] { row.Name, row.Does }));
        });
        return command;
    }

    public static IEnumerable<(string Name, string Does)> Rows(SessionLanguages languages, IEnumerable<Command> commands) =>
    [
        .. languages.All.Select(language =>
            ($"#!{language.Name}", $"The lines that follow are {language.Name}.{Also(language.Aliases)}")),
        .. commands.Select(command => ($"#!{command.Name}", command.Description ?? "")).Order(),
    ];

    private static string Also(IReadOnlyList<string> aliases) =>
        aliases.Count == 0 ? "" : $" Also: {string.Join(", ", aliases.Select(alias => $"#!{alias}"))}.";
}
