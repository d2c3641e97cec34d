using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>Draws a diagram of nodes and edges.</summary>
internal sealed class GraphDrawing(Graph graph)
{
    private const double Margin = 10;
    private readonly Svg svg = new();
    private readonly Placement placed = GraphLayout.Of(graph);

    /// <summary>Returns the drawing as HTML.</summary>
    /// <param name="graph">The diagram.</param>
    /// <param name="kind">The name of this kind of diagram, such as <c>Flowchart</c>.</param>
    /// <param name="said">The reader with the author's title and description.</param>
    public static string Html(Graph graph, string kind, MermaidReader said) => new GraphDrawing(graph).Html(kind, said);

    private string Html(string kind, MermaidReader said)
    {
        var bounds = new Box(-Margin, -Margin, placed.Width + (2 * Margin), placed.Height + (2 * Margin));
        if (graph.Title is { Length: > 0 } words) bounds = DrawTitle(TextBlock.Title(words), bounds);
        foreach (var group in graph.Groups.OrderBy(group => group.Depth)) DrawFrame(group);
        for (var i = 0; i < graph.Edges.Count; i++) DrawEdge(graph.Edges[i], graph.PaintOf(i));
        foreach (var group in graph.Groups) DrawGroupTitle(group);
        foreach (var node in graph.Nodes) Shapes.Draw(svg, node, placed.Items[node], graph.PaintOf(node));
        var name = said.SpokenTitle ?? graph.Title ?? kind;
        return svg.Document(bounds, name, said.Description ?? GraphInWords.Of(graph, kind));
    }

    private Box DrawTitle(TextBlock title, Box bounds)
    {
        svg.Text(title, new Point(placed.Width / 2, bounds.Y - title.Height), "middle");
        var width = Math.Max(bounds.Width, title.Width + (2 * Margin));
        return new Box((placed.Width - width) / 2, bounds.Y - title.Height - Margin, width,
            bounds.Height + title.Height + Margin);
    }

    private void DrawFrame(GraphGroup group)
    {
        svg.Open("group", graph.PaintOf(group));
        svg.Rectangle(placed.Items[group], group.IsRound ? 10 : 4);
        svg.Close();
    }

    private void DrawGroupTitle(GraphGroup group)
    {
        if (!placed.Titles.TryGetValue(group, out var box)) return;
        svg.Centred(group.Label, box.Centre, graph.PaintOf(group).TextOnFill);
    }

    private void DrawEdge(GraphEdge edge, Paint paint)
    {
        if (edge.Line == EdgeLine.Invisible) return;
        var isTurned = placed.Turned.Contains(edge);
        var steps = placed.Routes[edge].Steps;
        var (start, end) = isTurned ? (edge.EndHead, edge.StartHead) : (edge.StartHead, edge.EndHead);
        svg.Open("link");
        Arrows.Draw(svg, steps, edge.Line, start, end, paint);
        if (edge.Label is { } label) svg.Centred(label, placed.Labels[edge].Centre, paint.Text);
        var (upper, lower) = isTurned ? (edge.EndText, edge.StartText) : (edge.StartText, edge.EndText);
        if (upper is not null) DrawEndText(upper, steps[0].End, steps[1]);
        if (lower is not null) DrawEndText(lower, steps[^1].End, steps[^2]);
        svg.Close();
    }

    /// <summary>
    /// Draws the text at an end of an edge: to the right of a vertical line, above a horizontal one.
    /// </summary>
    private void DrawEndText(TextBlock text, Point end, Step next)
    {
        var away = Arrows.Unit(next.End - end);
        var isUpright = Math.Abs(away.Y) >= Math.Abs(away.X);
        var top = isUpright ? new Point(end.X + 10, end.Y + (away.Y > 0 ? 3 : -3 - text.Height))
            : new Point(end.X + (away.X * 6), end.Y - text.Height - 6);
        svg.Text(text, top, isUpright || away.X > 0 ? "start" : "end", "soft");
    }
}
