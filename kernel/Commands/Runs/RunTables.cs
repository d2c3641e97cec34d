using System.Globalization;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Training;
using Spectre.Console;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>
/// Prints runs as tables, which are fitted to the width of a terminal and not wrapped elsewhere. Text is never
/// interpreted as markup.
/// </summary>
internal static class RunTables
{
    private const int CommitLetters = 10, ValueLetters = 60;
    private const string Absent = "–";

    public static void Write(FoundRuns found, TextWriter output)
    {
        var console = For(output);
        if (found.Runs.Count == 0)
        {
            console.WriteLine($"no runs below {found.Folder}");
            return;
        }
        var table = Table(["run", "name", "status", "started (UTC)", "seed", "commit", "measured"], right: 4);
        foreach (var run in found.Runs)
            table.AddRow(Cells(
                run.Place, run.Name, run.Status ?? Absent,
                run.Started.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                run.Run?.Seed.ToString(CultureInfo.InvariantCulture) ?? Absent, Commit(run.Process),
                string.Join('\n', run.Metrics.Select(Measured))));
        console.Write(table);
    }

    public static void Write(RunsSideBySide comparison, TextWriter output)
    {
        var console = For(output);
        var letters = comparison.Runs.Select((_, run) => RunsSideBySide.Letter(run)).ToList();
        foreach (var (letter, run) in letters.Zip(comparison.Runs)) console.Write(new Text($"{letter}  {Line(run.Place)}\n"));
        if (comparison.Differences.Count == 0)
            console.WriteLine("settings, seed, data, packages, machine and commit are the same");
        else console.Write(Differing(comparison, letters));
        if (comparison.Measured.Count == 0) console.WriteLine("nothing was measured");
        else console.Write(Metrics(comparison, letters));
    }

    private static Table Differing(RunsSideBySide comparison, List<string> letters)
    {
        var table = Table(["differs", .. letters]);
        foreach (var one in comparison.Differences)
            table.AddRow(Cells([one.Part.Length == 0 ? one.Name : $"{one.Part}: {one.Name}", .. one.Values.Select(Value)]));
        return table;
    }

    private static Table Metrics(RunsSideBySide comparison, List<string> letters)
    {
        var table = Table(["measured", .. letters, .. letters.Skip(1).Select(letter => $"{letter} − {letters[0]}"), "unit"],
            right: [.. Enumerable.Range(1, (2 * letters.Count) - 1)]);
        foreach (var row in comparison.Measured)
            table.AddRow(Cells([row.Name, .. row.Values.Select(value => Number(value, "")),
                .. row.Changes.Select(change => Number(change, "+")), row.Unit]));
        return table;
    }

    /// <summary>
    /// Returns the terminal with its width and colors; for other outputs a console without colors and without line
    /// breaks.
    /// </summary>
    private static IAnsiConsole For(TextWriter output)
    {
        if (TerminalProgress.IsPossible(output)) return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = short.MaxValue;
        return console;
    }

    private static Table Table(IEnumerable<string> heads, params int[] right)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var (index, head) in heads.Index())
            table.AddColumn(new TableColumn(new Text(head)) { Alignment = right.Contains(index) ? Justify.Right : Justify.Left });
        return table;
    }

    private static IEnumerable<Text> Cells(params IEnumerable<string> texts) =>
        texts.Select(text => new Text(string.Join('\n', text.Split('\n').Select(Line))));

    private static string Measured(KeyValuePair<string, Measurement> metric) =>
        $"{Line(metric.Key)} {Number(metric.Value.Value, "")} {Line(metric.Value.Unit)}";

    private static string Commit(RunProcess process) => process.Commit is not { } commit ? Absent
        : commit.IndexOf('+', StringComparison.Ordinal) is > CommitLetters and var plus ? commit[..CommitLetters] + commit[plus..]
        : commit[..Math.Min(commit.Length, CommitLetters)];

    private static string Value(JsonNode? value)
    {
        var text = value switch
        {
            null => Absent,
            JsonValue one when one.TryGetValue<string>(out var words) => words,
            _ => value.ToJsonString(),
        };
        return text.Length <= ValueLetters ? text : $"{text[..(ValueLetters - 1)]}…";
    }

    private static string Number(double? value, string sign) => value is not { } number ? Absent
        : (number > 0 ? sign : "") + number.ToString("G5", CultureInfo.InvariantCulture);

    private static string Line(string text) => TerminalText.OneLine(text);
}
