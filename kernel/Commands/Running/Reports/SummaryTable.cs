using Spectre.Console;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The summary table of a batch: colored on a terminal, else aligned plain text.</summary>
internal static class SummaryTable
{
    private static readonly string[] Heads = ["notebook", "status", "cells", "seconds", "failing cell"];

    public static void Write(IReadOnlyList<RunReport> reports, TextWriter output)
    {
        var rows = reports.Select(SummaryRow.Of).ToList();
        if (TerminalProgress.IsPossible(output)) AnsiConsole.Write(Drawn(rows));
        else WriteText(rows, output);
    }

    private static Table Drawn(List<SummaryRow> rows)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var head in Heads)
            table.AddColumn(new TableColumn(head) { Alignment = head is "cells" or "seconds" ? Justify.Right : Justify.Left });
        foreach (var row in rows)
            table.AddRow(
                new Text(row.Notebook), new Text(row.Status, new Style(StatusColor(row.Status))), new Text(row.Cells),
                new Text(row.Seconds), new Text(row.FailingCell));
        return table;
    }

    private static Color StatusColor(string status) => status switch
    {
        "succeeded" => Color.Green,
        "failed" or "crashed" => Color.Red,
        _ => Color.Yellow,
    };

    private static void WriteText(List<SummaryRow> rows, TextWriter output)
    {
        string[][] lines =
        [
            Heads, .. rows.Select(row => new[] { row.Notebook, row.Status, row.Cells, row.Seconds, row.FailingCell }),
        ];
        var widths = Enumerable.Range(0, Heads.Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        output.WriteLine();
        foreach (var line in lines)
            output.WriteLine(string.Join("  ",
                line.Select((text, column) => column is 2 or 3 ? text.PadLeft(widths[column]) : text.PadRight(widths[column])))
                .TrimEnd());
    }
}
