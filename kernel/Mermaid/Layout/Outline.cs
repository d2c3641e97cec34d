using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// The outlines of shapes: the size of a shape around its label, and where lines meet its border.
/// </summary>
internal static class Outline
{
    public const double CylinderCap = 8;
    private const int Corners = 72;

    /// <summary>Returns width and height of a node.</summary>
    public static (double Width, double Height) SizeOf(GraphNode node)
    {
        var (w, h) = (Math.Max(node.Label.Width, 16), Math.Max(node.Label.Height, 14));
        var tall = h + 20;
        return node.Shape switch
        {
            NodeShape.Rhombus => Rhombus(w + 6, h + 4),
            NodeShape.Circle => Square(Math.Sqrt((w * w) + (h * h)) + 16),
            NodeShape.DoubleCircle => Square(Math.Sqrt((w * w) + (h * h)) + 26),
            NodeShape.Ellipse => ((w * 1.3) + 24, (h * 1.3) + 18),
            NodeShape.Hexagon => (w + 24 + (tall * 0.6), tall),
            NodeShape.Stadium => (w + 12 + tall * 0.8, tall),
            NodeShape.Subroutine => (w + 44, tall),
            NodeShape.Cylinder => (Math.Max(w + 28, 56), h + 16 + (3 * CylinderCap)),
            NodeShape.Flag => (w + 28 + (tall * 0.4), tall),
            NodeShape.LeanLeft or NodeShape.LeanRight => (w + 24 + (tall * 0.8), tall),
            NodeShape.Trapezoid or NodeShape.TrapezoidUpsideDown => (w + 24 + tall, tall),
            NodeShape.Class => ClassSize(node),
            NodeShape.Start or NodeShape.End => (18, 18),
            NodeShape.Bar => (72, 10),
            _ => (Math.Max(w + 30, 48), tall),
        };
    }

    /// <summary>Returns the border of a shape as a polygon around the origin.</summary>
    public static IReadOnlyList<Point> Of(NodeShape shape, double width, double height)
    {
        var (x, y) = (width / 2, height / 2);
        var slant = height * 0.4;
        return shape switch
        {
            NodeShape.Rhombus => [new(0, -y), new(x, 0), new(0, y), new(-x, 0)],
            NodeShape.Circle or NodeShape.DoubleCircle or NodeShape.Ellipse or NodeShape.Start or NodeShape.End => Ellipse(x, y),
            NodeShape.Hexagon =>
                [new(-x, 0), new(-x + (slant * 0.75), -y), new(x - (slant * 0.75), -y), new(x, 0), new(x - (slant * 0.75), y),
                    new(-x + (slant * 0.75), y)],
            NodeShape.Stadium => Stadium(x, y),
            NodeShape.Cylinder => Cylinder(x, y),
            NodeShape.Flag => [new(-x, -y), new(x, -y), new(x, y), new(-x, y), new(-x + slant, 0)],
            NodeShape.LeanRight => [new(-x + slant, -y), new(x, -y), new(x - slant, y), new(-x, y)],
            NodeShape.LeanLeft => [new(-x, -y), new(x - slant, -y), new(x, y), new(-x + slant, y)],
            NodeShape.Trapezoid => [new(-x + slant, -y), new(x - slant, -y), new(x, y), new(-x, y)],
            NodeShape.TrapezoidUpsideDown => [new(-x, -y), new(x, -y), new(x - slant, y), new(-x + slant, y)],
            _ => [new(-x, -y), new(x, -y), new(x, y), new(-x, y)],
        };
    }

    /// <summary>
    /// Returns the y coordinates at which a vertical line enters and leaves a polygon; null if it does not meet the
    /// polygon.
    /// </summary>
    public static (double Top, double Bottom)? Cut(IReadOnlyList<Point> polygon, double x)
    {
        var (top, bottom) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var i = 0; i < polygon.Count; i++)
        {
            var (a, b) = (polygon[i], polygon[(i + 1) % polygon.Count]);
            if (x < Math.Min(a.X, b.X) || x > Math.Max(a.X, b.X)) continue;
            var share = Math.Abs(b.X - a.X) < 1e-9 ? 0 : (x - a.X) / (b.X - a.X);
            var y = a.Y + (share * (b.Y - a.Y));
            (top, bottom) = (Math.Min(top, Math.Min(y, share == 0 && a.X == b.X ? b.Y : y)),
                Math.Max(bottom, Math.Max(y, share == 0 && a.X == b.X ? b.Y : y)));
        }
        return top <= bottom ? (top, bottom) : null;
    }

    /// <summary>Returns the fraction of a shape's width within which arrows may end.</summary>
    public static double ShareForArrows(NodeShape shape) => shape switch
    {
        NodeShape.Rhombus => 0.45,
        NodeShape.Circle or NodeShape.DoubleCircle or NodeShape.Ellipse or NodeShape.Stadium => 0.55,
        NodeShape.Start or NodeShape.End => 0.4,
        NodeShape.Hexagon or NodeShape.LeanLeft or NodeShape.LeanRight or NodeShape.Trapezoid or NodeShape.TrapezoidUpsideDown
            or NodeShape.Flag => 0.5,
        _ => 0.75,
    };

    private static (double Width, double Height) Rhombus(double width, double height)
    {
        var tall = height + (0.42 * width) + 16;
        return ((width / (1 - (height / tall))) + 8, tall);
    }

    private static (double Width, double Height) Square(double side) => (side, side);

    private static (double Width, double Height) ClassSize(GraphNode node)
    {
        var width = Math.Max(node.Label.Width, node.Compartments.Select(part => part.Width).DefaultIfEmpty(0).Max());
        return (Math.Max(width + 24, 80), node.Label.Height + 12 + node.Compartments.Sum(CompartmentHeight));
    }

    /// <summary>Returns the height of a compartment of a class.</summary>
    public static double CompartmentHeight(Lettering.TextBlock part) => part.IsEmpty ? 10 : part.Height + 10;

    private static List<Point> Ellipse(double x, double y) =>
        [.. Enumerable.Range(0, Corners).Select(i => i * Math.Tau / Corners)
            .Select(angle => new Point(x * Math.Cos(angle), y * Math.Sin(angle)))];

    private static List<Point> Stadium(double x, double y) =>
        [.. Ellipse(y, y)
            .Select(point => new Point(point.X + (Math.Sign(Math.Round(point.X, 9)) * Math.Max(0, x - y)), point.Y))];

    private static List<Point> Cylinder(double x, double y) =>
        [.. Ellipse(x, CylinderCap)
            .Select(point => new Point(point.X, point.Y + (Math.Sign(Math.Round(point.Y, 9)) * (y - CylinderCap))))];
}
