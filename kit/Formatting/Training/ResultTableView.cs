using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws results as a table with a header; numbers are right-aligned.</summary>
internal static class ResultTableView
{
    private const int MostRows = 500;

    public static Html Draw(ResultTable table) => Theme.Output(Fragment(table));

    /// <summary>Returns the table alone, as part of a larger output.</summary>
    /// <param name="table">The table.</param>
    /// <param name="verbatim">Whether the names of columns are texts, not identifiers to be split into words.</param>
    public static Html Fragment(ResultTable table, bool verbatim = false)
    {
        var head = table.Columns.Select(
            (column, index) => Html.Of($"<th scope=\"col\" class=\"{Side(table, index)}\">{Header(column, verbatim)}</th>"));
        Html Cell(object? value, int index) => Html.Of($"<td class=\"{Side(table, index)}\">{RecordView.Cell(value)}</td>");
        var rows = table.Rows.Take(MostRows).Select(row => Html.Of($"<tr>{row.Select(Cell)}</tr>"));
        var more = table.Rows.Count > MostRows ? Html.Of(
            $"<div class=\"rk-cap\">{Numbers.Count(table.Rows.Count - MostRows)} more are not shown</div>") : Html.Empty;
        return Html.Of($"<table class=\"rk-tab\"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}");
    }

    /// <summary>Formats the table as text, without columns whose values are HTML.</summary>
    public static string Text(ResultTable whole, bool verbatim = false)
    {
        var words = Enumerable.Range(0, whole.Columns.Count)
            .Where(column => !whole.Rows.Any(row => row[column] is Html)).ToList();
        var table = new ResultTable([.. words.Select(column => whole.Columns[column])],
            [.. whole.Rows.Select(row => words.Select(column => row[column]).ToList())]);
        var lines = table.Rows.Take(MostRows)
            .Select(row => row.Select(value => Visible.OneLine(RecordView.Written(value))).ToList())
            .Prepend([.. table.Columns.Select(column => Visible.OneLine(Header(column, verbatim)))]).ToList();
        var widths = table.Columns.Select((_, index) => lines.Max(line => line[index].Length)).ToList();
        var text = lines.Select(line => string.Join("  ", line.Select((cell, index) =>
            IsNumeric(table, index) ? cell.PadLeft(widths[index]) : cell.PadRight(widths[index]))).TrimEnd());
        return string.Join('\n', table.Rows.Count > MostRows
            ? text.Append($"{Numbers.Count(table.Rows.Count - MostRows)} more are not shown") : text);
    }

    private static string Header(string column, bool verbatim) => verbatim ? column : RecordViews.Words(column);

    private static string Side(ResultTable table, int column) => IsNumeric(table, column) ? "rk-right" : "rk-left";

    private static bool IsNumeric(ResultTable table, int column) =>
        table.Rows.Count > 0 && table.Rows.All(row => row[column] is null || RecordView.IsNumber(row[column]));
}
