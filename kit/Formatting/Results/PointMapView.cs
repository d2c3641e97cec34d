using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Shows a map of points with the legend of its groups.</summary>
internal static class PointMapView
{
    private const int MostListed = 200;

    public static Html Draw(PointMap map)
    {
        var legend = PointMapDrawing.Groups(map).Select((group, index) => group.Length == 0 ? Html.Empty
            : Html.Of($"<span><span class=\"rk-key\" "
                + $"style=\"background:{Theme.ColorOf(index)}\"></span>{Visible.OneLine(group)}</span>"));
        var some = map.Labels.Count > PointMapDrawing.MostPoints ? "; not all are drawn" : "";
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(map.Title)}</b><span class="rk-mute">{Numbers.Count(map.Labels.Count, "point")}{some}</span>{legend}</div>
            <div class="rk-scroll" tabindex="0" role="group" aria-label="{Visible.OneLine(map.Title)}">{DrawingSvg.Inline(PointMapDrawing.Draw(map))}</div>
            {EvidenceCaption.Draw(map.Evidence)}<details><summary class="rk-cap">coordinates</summary>{ResultTableView.Fragment(Table(map), verbatim: true)}</details>
            """));
    }

    public static string Text(PointMap map) =>
        $"{Visible.OneLine(map.ToString())}\n{ResultTableView.Text(Table(map), verbatim: true)}";

    private static ResultTable Table(PointMap map) => new(["label", "group", "x", "y"],
        [.. Enumerable.Range(0, Math.Min(MostListed, map.Labels.Count)).Select(point => (IReadOnlyList<object?>)
            [Visible.Label(map.Labels[point]), Visible.OneLine(map.Group(point)), map.Points[point, 0], map.Points[point, 1]])]);
}
