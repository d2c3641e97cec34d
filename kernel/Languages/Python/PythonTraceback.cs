using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>
/// Rewrites Python tracebacks with the notebook's cell numbers; IPython numbers only the cells that it has run
/// itself.
/// </summary>
internal sealed partial class PythonTraceback
{
    private readonly ConcurrentDictionary<int, string> names = new();

    /// <summary>Records the notebook cell of an IPython execution count.</summary>
    public void Know(int count, string cell) => names[count] = cell;

    /// <summary>Clears the records when a new Python process starts, since it counts from 1 again.</summary>
    public void Forget() => names.Clear();

    /// <summary>
    /// Converts an error message or reply to a failure; its color codes are kept, since front ends display them.
    /// </summary>
    /// <param name="error">The content of an <c>error</c> message or of a reply.</param>
    /// <param name="cell">The cell that ran.</param>
    /// <param name="cause">The exception of an interrupt; null if there was none.</param>
    public CellException Describe(JsonObject error, string cell, Exception? cause)
    {
        var (name, message) = (error.Text("ename") ?? "Error", error.Text("evalue") ?? "");
        var lines = (error["traceback"] as JsonArray ?? [])
            .Select(line => line is JsonValue value && value.TryGetValue<string>(out var text) ? text : "")
            .SelectMany(text => text.TrimEnd('\n').Split('\n')).Select(Named)
                .SkipWhile(line => Rule().IsMatch(TerminalText.Plain(line))).ToList();
        if (lines.Count == 0) lines.Add($"{name}: {message}");
        return new CellException(name, message, lines, Line(lines, cell), cause);
    }

    private string Named(string line) => Place().Replace(line, match =>
        names.TryGetValue(int.Parse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture), out var cell)
            ? $"{match.Groups["color"].Value}{cell}" : match.Value);

    private static int? Line(List<string> lines, string cell)
    {
        var found = lines.Select(line => At().Match(TerminalText.Plain(line)))
            .LastOrDefault(match => match.Success && match.Groups[1].Value == cell);
        return found is null ? null : int.Parse(found.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"\b(?:Cell|Input|File) (?<color>(?:\x1B\[[\d;]*m)*)(?:<ipython-input-)?In ?\[(?<count>\d+)\]")]
    private static partial Regex Place();

    [GeneratedRegex(@"\b(cell \d+),? line:? (\d+)")]
    private static partial Regex At();

    [GeneratedRegex(@"^-{20,}$")]
    private static partial Regex Rule();
}
