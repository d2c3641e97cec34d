using System.Globalization;
using System.Text;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Formats a failed cell: its number, its source with the failing line marked, and the traceback.
/// </summary>
internal static class FailureReport
{
    public static string Of(NotebookCell cell, int number, ErrorOutput error)
    {
        var report = new StringBuilder();
        report.Append(CultureInfo.InvariantCulture, $"Cell {number} failed: {error.Name}\n\n");
        var lines = cell.Source.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
            report.Append($"{(i + 1 == error.Line ? '>' : ' ')} {i + 1,3}  {TerminalText.Plain(lines[i])}".TrimEnd())
                .Append('\n');
        report.Append('\n').Append(TerminalText.Plain(string.Join('\n', error.Traceback)));
        return report.ToString();
    }
}
