using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>Draws the shapes of nodes with their labels.</summary>
internal static class Shapes
{
    private const double Fold = 9;

    public static void Draw(Svg svg, GraphNode node, Box box, Paint paint)
    {
        svg.Open(node.Shape == NodeShape.Note ? "note" : "node", paint);
        DrawShape(svg, node, box);
        svg.Close();
        DrawLabel(svg, node, box, paint.TextOnFill);
    }

    private static void DrawShape(Svg svg, GraphNode node, Box box)
    {
        switch (node.Shape)
        {
            case NodeShape.Rectangle or NodeShape.Class: svg.Rectangle(box, 3); break;
            case NodeShape.Round: svg.Rectangle(box, 10); break;
            case NodeShape.Stadium: svg.Rectangle(box, box.Height / 2); break;
            case NodeShape.Bar: svg.Rectangle(box, 2, "dot"); break;
            case NodeShape.Circle or NodeShape.Ellipse: svg.Ellipse(box.Centre, box.Width / 2, box.Height / 2); break;
            case NodeShape.Start: svg.Ellipse(box.Centre, box.Width / 2, box.Height / 2, "dot"); break;
            case NodeShape.End: Rings(svg, box, 4, "dot"); break;
            case NodeShape.DoubleCircle: Rings(svg, box, 5, "inner"); break;
            case NodeShape.Subroutine:
                svg.Rectangle(box, 3);
                svg.Line(new Point(box.X + 9, box.Y), new Point(box.X + 9, box.Bottom));
                svg.Line(new Point(box.Right - 9, box.Y), new Point(box.Right - 9, box.Bottom));
                break;
            case NodeShape.Cylinder: Cylinder(svg, box); break;
            case NodeShape.Note: Note(svg, box); break;
            default: svg.Polygon(Outline.Of(node.Shape, box.Width, box.Height).Select(point => point + box.Centre)); break;
        }
        if (node.Shape == NodeShape.Class) Compartments(svg, node, box);
    }

    private static void Rings(Svg svg, Box box, double apart, string inner)
    {
        svg.Ellipse(box.Centre, box.Width / 2, box.Height / 2, inner == "dot" ? "ring" : "");
        svg.Ellipse(box.Centre, (box.Width / 2) - apart, (box.Height / 2) - apart, inner);
    }

    private static void Cylinder(Svg svg, Box box)
    {
        var (cap, half) = (Outline.CylinderCap, box.Width / 2);
        var (left, right) = (new Point(box.X, box.Y + cap), new Point(box.Right, box.Y + cap));
        var arc = $"A{Svg.Number(half)},{Svg.Number(cap)} 0 0";
        var (low, lowLeft) = (new Point(box.Right, box.Bottom - cap), new Point(box.X, box.Bottom - cap));
        svg.Path($"M{Svg.Pair(left)} {arc} 1 {Svg.Pair(right)} L{Svg.Pair(low)} {arc} 1 {Svg.Pair(lowLeft)} Z");
        svg.Path($"M{Svg.Pair(left)} {arc} 0 {Svg.Pair(right)}", "inner");
    }

    private static void Note(Svg svg, Box box)
    {
        var (fold, corner) = (new Point(box.Right - Fold, box.Y), new Point(box.Right, box.Y + Fold));
        svg.Polygon([new Point(box.X, box.Y), fold, corner, new Point(box.Right, box.Bottom), new Point(box.X, box.Bottom)]);
        svg.Path($"M{Svg.Pair(fold)} V{Svg.Number(corner.Y)} H{Svg.Number(corner.X)}", "inner");
    }

    private static void Compartments(Svg svg, GraphNode node, Box box)
    {
        var y = box.Y + node.Label.Height + 12;
        foreach (var part in node.Compartments)
        {
            svg.Line(new Point(box.X, y), new Point(box.Right, y));
            y += Outline.CompartmentHeight(part);
        }
    }

    private static void DrawLabel(Svg svg, GraphNode node, Box box, string? color)
    {
        switch (node.Shape)
        {
            case NodeShape.Start or NodeShape.End or NodeShape.Bar: return;
            case NodeShape.Class:
                svg.Text(node.Label, new Point(box.Centre.X, box.Y + 6), "middle", "", color);
                var y = box.Y + node.Label.Height + 12;
                foreach (var part in node.Compartments)
                {
                    svg.Text(part, new Point(box.X + 12, y + 5), "start", "", color);
                    y += Outline.CompartmentHeight(part);
                }
                return;
            case NodeShape.Cylinder: svg.Centred(node.Label, box.Centre + new Point(0, Outline.CylinderCap / 2), color); return;
            case NodeShape.Flag: svg.Centred(node.Label, box.Centre + new Point(box.Height * 0.2, 0), color); return;
            default: svg.Centred(node.Label, box.Centre, color); return;
        }
    }
}
