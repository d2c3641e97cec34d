using System.CommandLine;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.CSharp;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!who</c> and <c>#!whos</c>: list the variables of the current language.</summary>
internal static class WhoMagic
{
    private const int Shown = 120;

    public static Command Create(MagicCall call)
    {
        var command = new Command("who", "Lists the names of the variables.");
        command.SetAction(_ => Console.WriteLine(string.Join('\t', Variables(call).Select(variable => variable.Name))));
        return command;
    }

    public static Command CreateLong(MagicCall call)
    {
        var command = new Command("whos", "Lists the variables with their types and values.");
        command.SetAction(_ =>
            MagicTable.Show(call.Run.Scope.Outputs, ["Variable", "Type", "Value"], Variables(call).Select(Row)));
        return command;
    }

    private static IReadOnlyList<Variable> Variables(MagicCall call) => call.Languages.Variables(call.Language).Variables;

    private static string[] Row(Variable variable) => [variable.Name, TypeNames.Short(variable.Type), Value(variable.Value)];

    private static string Value(object? value)
    {
        var text = Formatted.Of(value, ["text/plain"]).Data["text/plain"].ReplaceLineEndings(" ");
        return text.Length <= Shown ? text : $"{text[..(Shown - 1)]}…";
    }
}
