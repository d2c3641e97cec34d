using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Shows a grid: its heat map, its scale, its evidence, and its numbers as a table.</summary>
internal static class GridView
{
    private const int MostInTable = 600, MostStrongest = 20;

    public static Html Draw(Grid grid) => Theme.Output(Fragment(grid));

    /// <summary>Returns the figure alone, as part of a larger output.</summary>
    public static Html Fragment(Grid grid)
    {
        if (grid.Values.Length == 0)
            return Html.Of($"<div class=\"rk-line\"><b>{Visible.OneLine(grid.Title)}</b><span class=\"rk-mute\">no "
                + $"cells</span></div>{EvidenceCaption.Draw(grid.Evidence)}");
        var cells = GridCells.Of(grid);
        var scale = ColorScale.Of(grid.Values.Cast<double>());
        return Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(grid.Title)}</b><span class="rk-mute">{Sizes(cells)}</span>{scale.Bar()}<span>{Visible.OneLine(grid.Unit)}</span>{Keys(grid)}</div>
            <div class="rk-scroll" tabindex="0" role="group" aria-label="{Visible.OneLine(grid.Title)}">{DrawingSvg.Inline(GridDrawing.Draw(grid, cells, scale))}</div>
            {EvidenceCaption.Draw(grid.Evidence)}{Values(grid)}
            """);
    }

    /// <summary>Writes the numbers as a table of text; if they are many, the largest.</summary>
    public static string Text(Grid grid) =>
        $"{Visible.OneLine(grid.ToString())}\n{ResultTableView.Text(grid.Values.Length <= MostInTable ? Table(grid) : Strongest(grid), verbatim: true)}";

    private static string Sizes(GridCells cells)
    {
        var size = $"{Count(cells.Grid.Rows.Count, cells.Grid.RowAxis, "row")} × "
            + $"{Count(cells.Grid.Columns.Count, cells.Grid.ColumnAxis, "column")}";
        var texts = cells.Grid.Texts is not null && (!cells.AreShapes || cells.Block > 1) ? "; the texts do not fit" : "";
        return cells.Block == 1 ? size + texts
            : $"{size}; each cell the largest of {cells.Block} × {cells.Block}{texts}";
    }

    private static string Count(int count, string axis, string otherwise) =>
        axis.Length > 0 ? $"{Visible.OneLine(axis)} ({Numbers.Count(count)})" : Numbers.Count(count, otherwise);

    private static IEnumerable<Html> Keys(Grid grid)
    {
        var values = grid.Values.Cast<double>();
        if (values.Any(double.IsPositiveInfinity)) yield return ColorScale.Key(ColorScale.PositiveInfinity, "+Inf");
        if (values.Any(double.IsNegativeInfinity)) yield return ColorScale.Key(ColorScale.NegativeInfinity, "−Inf");
        if (values.Any(double.IsNaN)) yield return Html.Of($"<span class=\"rk-mute\">empty: no number</span>");
    }

    /// <summary>The numbers, for readers who do not see the map.</summary>
    private static Html Values(Grid grid) => grid.Values.Length <= MostInTable
        ? Html.Of($"<details><summary class=\"rk-cap\">numbers</summary><div class=\"rk-scroll\" "
            + $"tabindex=\"0\">{ResultTableView.Fragment(Table(grid), verbatim: true)}</div></details>")
        : Html.Of($"<details><summary class=\"rk-cap\">largest "
            + $"numbers</summary>{ResultTableView.Fragment(Strongest(grid), verbatim: true)}</details>");

    private static ResultTable Table(Grid grid) => new(
        [grid.RowAxis, .. grid.Columns.Select(column => Visible.Label(column))],
        [.. grid.Rows.Select((label, row) => (IReadOnlyList<object?>)
            [Visible.Label(label), .. grid.Columns.Select((_, column) => Cell(grid, row, column))])]);

    private static object? Cell(Grid grid, int row, int column) => grid.Texts is { } texts
        ? $"{Visible.Label(texts[row, column])} {Numbers.Short(grid.Values[row, column])}"
        : double.IsNaN(grid.Values[row, column]) ? null : grid.Values[row, column];

    private static ResultTable Strongest(Grid grid) => new(
        [Named(grid.RowAxis, "row"), Named(grid.ColumnAxis, "column"), "value", .. grid.Texts is null
            ? Array.Empty<string>() : ["text"]],
        [.. GridCells.Strongest(grid, MostStrongest).Select(cell => (IReadOnlyList<object?>)
            [Visible.Label(grid.Rows[cell.Row]), Visible.Label(grid.Columns[cell.Column]), cell.Value,
                .. grid.Texts is { } texts ? [Visible.Label(texts[cell.Row, cell.Column])] : Array.Empty<object?>()])]);

    private static string Named(string axis, string otherwise) => axis.Length > 0 ? axis : otherwise;
}
