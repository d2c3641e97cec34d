using ResearchKit.Interpretability;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Shows a report on heads: a table with the picture of each head, which a script makes sortable, and the compositions as heat
/// maps.
/// </summary>
internal static class HeadReportView
{
    private const int MostHeads = 400, Pixels = 56;

    private static readonly Html Script = Html.Script("SortableTable.js");

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk table.rk-sort th{position:sticky;top:0;background:Canvas;color-scheme:light dark}
        .rk table.rk-sort td,.rk table.rk-sort tbody th{vertical-align:middle;padding:1px 8px}
        .rk-sort th[aria-sort=descending]::after{content:" ↓"}
        .rk-sort th[aria-sort=ascending]::after{content:" ↑"}
        </style>
        """);

    private static readonly (string Name, string Title, Func<HeadScores, double> Value, bool IsShare)[] Columns =
    [
        ("previous", "attention to the token before", head => head.PreviousToken, true),
        ("duplicate", "attention to earlier copies of the token", head => head.Duplicate, true),
        ("induction", "attention to what followed earlier copies of the token", head => head.Induction, true),
        ("self", "attention to the token itself", head => head.Self, true),
        ("first", "attention to the first token", head => head.FirstToken, true),
        ("entropy", "mean entropy of a query's pattern, nats", head => head.Entropy, false),
        ("distance", "mean distance of what is attended to, tokens", head => head.MeanDistance, false),
        ("copying", "copying score of the OV circuit, from -1 to 1", head => head.Copying, true),
    ];

    public static Html Draw(HeadReport report)
    {
        var pictures = report.Example.Patterns.ToDictionary(pattern => (pattern.Layer, pattern.Head));
        var shown = report.Heads.Take(MostHeads).ToList();
        var left = report.Heads.Count > shown.Count
            ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(report.Heads.Count - shown.Count, "more head")} not shown</div>")
            : Html.Empty;
        var rows = shown.Select(head => Html.Of($"""
            <tr><td>{(pictures.TryGetValue((head.Layer, head.Head), out var pattern) ? AttentionView.Thumbnail(pattern, Pixels) : Html.Empty)}</td><th scope="row">{head.Layer}.{head.Head}</th>{Columns.Select(column => Cell(column.Value(head), column.IsShare))}</tr>
            """));
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>heads</b><span class="rk-mute">{Numbers.Count(report.Heads.Count, "head")} · means over a corpus · pictures: the beginning of its first text</span></div>
            <table class="rk-tab rk-sort"><thead><tr><th scope="col">pattern</th><th scope="col">head</th>{Columns.Select(column => Html.Of($"<th scope=\"col\" class=\"rk-right\" data-sort=\"1\" title=\"{column.Title}\">{column.Name}</th>"))}</tr></thead><tbody>{rows}</tbody></table>{Script}{left}
            {EvidenceCaption.Draw(report.Evidence)}{new[] { report.QueryComposition, report.KeyComposition, report.ValueComposition }.Select(Composition)}
            """), Style);
    }

    public static string Text(HeadReport report) =>
        $"{Visible.OneLine(report.ToString())}\n{ResultTableView.Text(report.ToTable())}";

    private static Html Cell(double value, bool isShare)
    {
        var shade = isShare && double.IsFinite(value)
            ? Html.Of($" style=\"background:color-mix(in srgb,{(value < 0 ? "#d1495b" : "var(--rk-accent)")} "
            + $"{45 * Math.Min(1, Math.Abs(value)):0}%,transparent)\"")
            : Html.Empty;
        return Html.Of($"<td class=\"rk-right\" "
            + $"data-v=\"{value:0.####}\"{shade}>{(double.IsNaN(value) ? "–" : FormattableString.Invariant($"{value:0.00}"))}</td>");
    }

    private static Html Composition(Grid grid) =>
        Html.Of($"<details><summary class=\"rk-cap\">{Visible.OneLine(grid.Title)}</summary>{GridView.Fragment(grid)}</details>");
}
