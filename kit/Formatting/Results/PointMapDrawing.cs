using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws labelled points in a plane, in a color for each group.</summary>
internal static class PointMapDrawing
{
    /// <summary>Most points that are drawn; of more, some at equal distances in the list.</summary>
    public const int MostPoints = 2_000;

    private const double Side = 480, Left = 34, Bottom = 28, Apart = 13;

    /// <summary>Draws the points with their axes.</summary>
    public static Drawing Draw(PointMap map, double top = 8, double extra = 0)
    {
        var drawing = new Drawing(Left + Side + 120, top + Side + Bottom + extra, $"map: {Visible.OneLine(map.ToString())}");
        var step = (map.Labels.Count + MostPoints - 1) / MostPoints;
        var shown = Enumerable.Range(0, map.Labels.Count).Where(point => point % Math.Max(1, step) == 0
            && double.IsFinite(map.Points[point, 0]) && double.IsFinite(map.Points[point, 1])).ToList();
        var (x, y) = (Axis(map, shown, 0), Axis(map, shown, 1));
        drawing.Shapes.Add(new Box(Left, top, Side, Side, "none") { Stroke = "#8f959c" });
        drawing.Shapes.Add(new Words(Left + (Side / 2), top + Side + 20, Visible.OneLine(map.XAxis), TextAnchor.Middle));
        drawing.Shapes.Add(new Words(20, top + (Side / 2), Visible.OneLine(map.YAxis), TextAnchor.Middle) { Turn = -90 });
        var groups = Groups(map);
        var taken = new List<(double X, double Y, double Width)>();
        foreach (var point in shown)
        {
            var at = (X: Left + 10 + ((Side - 20) * x(map.Points[point, 0])),
                Y: top + Side - 10 - ((Side - 20) * y(map.Points[point, 1])));
            var label = Visible.Label(map.Labels[point]);
            var group = map.Group(point);
            drawing.Shapes.Add(new Box(at.X - 3, at.Y - 3, 6, 6, Theme.ColorOf(groups.IndexOf(group)))
            { Radius = 3, Opacity = 0.8, Class = "v", Title = group.Length > 0 ? $"{label} ({Visible.OneLine(group)})" : label });
            var width = Drawing.WidthOf(label);
            if (taken.Any(other => Math.Abs(other.Y - at.Y) < Apart && at.X < other.X + other.Width + 6
                && other.X < at.X + width + 6)) continue;
            taken.Add((at.X, at.Y, width));
            drawing.Shapes.Add(new Words(at.X + 5, at.Y + 4, label));
        }
        return drawing;
    }

    /// <summary>Draws the map with its title, legend and evidence, to stand alone.</summary>
    public static Drawing DrawAlone(PointMap map)
    {
        var drawing = Draw(map, 44);
        drawing.Shapes.Insert(0, new Words(8, 18, Visible.OneLine(map.Title)) { Size = 13, IsBold = true });
        var x = 8.0;
        foreach (var (group, index) in Groups(map).Select((group, index) => (group, index)).Where(pair => pair.group.Length > 0))
        {
            drawing.Shapes.Add(new Box(x, 27, 9, 9, Theme.ColorOf(index)));
            drawing.Shapes.Add(new Words(x + 13, 36, Visible.Label(group)));
            x += 26 + Drawing.WidthOf(Visible.Label(group));
        }
        var bottom = drawing.Height;
        return drawing with { Height = bottom + EvidenceCaption.Add(drawing, map.Evidence, 8, bottom, drawing.Width - 16) + 8 };
    }

    public static List<string> Groups(PointMap map) => [.. Enumerable.Range(0, map.Labels.Count).Select(map.Group).Distinct()];

    /// <summary>Maps a coordinate to 0 … 1.</summary>
    private static Func<double, double> Axis(PointMap map, List<int> shown, int axis)
    {
        var low = shown.Select(point => map.Points[point, axis]).DefaultIfEmpty().Min();
        var high = shown.Select(point => map.Points[point, axis]).DefaultIfEmpty().Max();
        return value => high > low ? (value - low) / (high - low) : 0.5;
    }
}
