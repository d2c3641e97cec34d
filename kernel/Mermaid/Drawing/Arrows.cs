using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>
/// Draws the lines of edges with their arrowheads. Arrowheads are separate shapes, because SVG markers would
/// need ids.
/// </summary>
internal static class Arrows
{
    public static void Draw(Svg svg, IReadOnlyList<Step> steps, EdgeLine line, EdgeHead start, EdgeHead end, Paint? paint = null)
    {
        var way = steps.ToList();
        var (tip, tail) = (way[^1].End, way[0].End);
        var (into, outOf) = (Unit(tip - Before(way[^1], way[^2].End)), Unit(tail - After(way[1])));
        way[^1] = way[^1] with { End = tip - (into * Depth(end)) };
        way[0] = way[0] with { End = tail - (outOf * Depth(start)) };
        var kind = line switch { EdgeLine.Thick => "edge thick", EdgeLine.Dotted => "edge dotted", _ => "edge" };
        svg.Path(Data(way), kind, paint is null ? "" : Svg.Css(paint with { Fill = null }));
        var color = paint?.Stroke;
        Head(svg, end, tip, into, color);
        Head(svg, start, tail, outOf, color);
    }

    public static string Data(IEnumerable<Step> steps) => string.Join(' ', steps.Select(step => step.Kind switch
    {
        'C' => $"C{Svg.Pair(step.First)} {Svg.Pair(step.Second)} {Svg.Pair(step.End)}",
        var other => $"{other}{Svg.Pair(step.End)}",
    }));

    /// <summary>Draws an arrowhead with its tip at a point.</summary>
    public static void Head(Svg svg, EdgeHead head, Point tip, Point into, string? color = null)
    {
        var across = new Point(-into.Y, into.X);
        Point At(double back, double aside) => tip - (into * back) + (across * aside);
        var (full, hollow) = (color is null ? "" : $"fill:{color}", color is null ? "" : $"stroke:{color}");
        switch (head)
        {
            case EdgeHead.Arrow: Shape(svg, "full", full, At(0, 0), At(9, 4.5), At(9, -4.5)); break;
            case EdgeHead.Triangle: Shape(svg, "edge head", hollow, At(0.7, 0), At(13, 7.5), At(13, -7.5)); break;
            case EdgeHead.Diamond: Shape(svg, "full", full, At(0, 0), At(7, 5), At(14, 0), At(7, -5)); break;
            case EdgeHead.HollowDiamond: Shape(svg, "edge head", hollow, At(0.7, 0), At(7, 5), At(13.3, 0), At(7, -5)); break;
            case EdgeHead.Circle:
                var (centre, radius) = (At(5, 0), 4.25);
                svg.Path($"M{Svg.Pair(centre - new Point(radius, 0))} a{radius},{radius} 0 1 0 {2 * radius},0 a{radius},{radius} "
                    + $"0 1 0 {-2 * radius},0", "edge head", hollow);
                break;
            case EdgeHead.Cross:
                svg.Path($"M{Svg.Pair(At(2, 5))} L{Svg.Pair(At(12, -5))} M{Svg.Pair(At(2, -5))} L{Svg.Pair(At(12, 5))}",
                    "edge head", hollow);
                break;
            case EdgeHead.Open:
                svg.Path($"M{Svg.Pair(At(9, 5))} L{Svg.Pair(At(0.7, 0))} L{Svg.Pair(At(9, -5))}", "edge head", hollow);
                break;
            case EdgeHead.None: break;
        }
    }

    public static Point Unit(Point way) => way.Length < 1e-6 ? new Point(0, 1) : way * (1 / way.Length);

    private static void Shape(Svg svg, string kind, string style, params IReadOnlyList<Point> points) =>
        svg.Path($"M{string.Join(" L", points.Select(Svg.Pair))} Z", kind, style);

    /// <summary>Returns the distance from the end of the line to the tip of the arrowhead.</summary>
    private static double Depth(EdgeHead head) => head switch
    {
        EdgeHead.Arrow => 7,
        EdgeHead.Triangle => 13,
        EdgeHead.Diamond or EdgeHead.HollowDiamond => 13.5,
        EdgeHead.Circle => 9.25,
        EdgeHead.Cross => 7,
        EdgeHead.Open => 1,
        _ => 0,
    };

    private static Point Before(Step last, Point previous) => last.Kind == 'C' ? last.Second : previous;

    private static Point After(Step second) => second.Kind == 'C' ? second.First : second.End;
}
