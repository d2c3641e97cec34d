using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws a graph from left to right: a box for each node, a curve for each edge, thicker where its number is larger.
/// </summary>
internal static class GraphDrawing
{
    /// <summary>Most edges that are drawn; the weakest are left out.</summary>
    public const int MostEdges = 600;

    private const double BoxHeight = 20, RowHeight = 30, Gap = 90, WidestBox = 150;
    private const string Negative = "#3f87d9", Positive = "#d1495b", Single = "#3b82f6";

    /// <summary>Draws the graph; resting on a node, or reaching it by the keyboard, shows its edges alone.</summary>
    public static Drawing Draw(Graph graph, string mark = "")
    {
        var layout = LayeredLayout.Of(graph);
        var widths = graph.Nodes.Select((node, number) => (layout[number].Column, Width: Drawing.WidthOf(Label(node)) + 12))
            .GroupBy(pair => pair.Column).ToDictionary(group => group.Key, group =>
                Math.Min(WidestBox, group.Max(pair => pair.Width)));
        var lefts = new double[widths.Count + 1];
        for (var column = 0; column < widths.Count; column++) lefts[column + 1] = lefts[column] + widths[column] + Gap;
        var tallest = layout.Select(place => Math.Abs(place.Place)).DefaultIfEmpty().Max();
        var height = (((2 * tallest) + 1) * RowHeight) + 8;
        var places = layout.Select(place => new Place(8 + lefts[place.Column], (height / 2) + (place.Place * RowHeight),
            widths[place.Column])).ToList();
        var drawing = new Drawing(Math.Max(60, lefts[^1] - Gap + 16), height, Describe(graph))
        {
            Class = mark,
            Style = mark.Length == 0 ? null : Style(mark, graph.Nodes.Count),
        };
        AddEdges(drawing, graph, places);
        AddNodes(drawing, graph, places);
        return drawing;
    }

    /// <summary>Draws the graph with its title and its evidence, to stand alone.</summary>
    public static Drawing DrawAlone(Graph graph)
    {
        var inner = Draw(graph);
        const double Top = 28;
        var width = Math.Max(inner.Width, 360);
        var drawing = new Drawing(width, 0, inner.Label)
        {
            Shapes = [new Words(8, 18, Visible.OneLine(graph.Unit.Length > 0 ? $"{graph.Title} ({graph.Unit})" : graph.Title))
                { Size = 13, IsBold = true }, .. inner.Shapes.Select(shape => Moved(shape, Top))],
        };
        var bottom = Top + inner.Height;
        return drawing with { Height = bottom + EvidenceCaption.Add(drawing, graph.Evidence, 8, bottom, width - 16) + 8 };
    }

    private static Shape Moved(Shape shape, double down) => shape switch
    {
        Box box => box with { Y = box.Y + down },
        Wire wire => wire with { FromY = wire.FromY + down, ToY = wire.ToY + down },
        Words words => words with { Y = words.Y + down },
        _ => shape,
    };

    private static void AddEdges(Drawing drawing, Graph graph, List<Place> places)
    {
        var numbers = graph.Nodes.Select((node, number) => (node.Name, number))
            .ToDictionary(pair => pair.Name, pair => pair.number);
        var strongest = graph.Edges.OrderByDescending(edge => Math.Abs(edge.Weight)).Take(MostEdges).ToList();
        var largest = strongest.Select(edge => Math.Abs(edge.Weight)).Where(double.IsFinite).DefaultIfEmpty().Max();
        var signed = strongest.Any(edge => edge.Weight < 0) && strongest.Any(edge => edge.Weight > 0);
        foreach (var edge in Enumerable.Reverse(strongest))   // the strongest in front
        {
            var (from, to) = (numbers[edge.From], numbers[edge.To]);
            var share = largest > 0 && double.IsFinite(edge.Weight) ? Math.Abs(edge.Weight) / largest : 1;
            drawing.Shapes.Add(new Wire(places[from].X + places[from].Width, places[from].Y, places[to].X, places[to].Y,
                signed ? edge.Weight < 0 ? Negative : Positive : Single, 0.8 + (3.7 * share))
            {
                IsCurved = true,
                Opacity = 0.25 + (0.6 * share),
                Class = $"e n{from} n{to}",
                Title = $"{Label(graph.Nodes[from])} → {Label(graph.Nodes[to])}: {Numbers.Short(edge.Weight)}"
                    + (graph.Unit.Length > 0 ? $" {Visible.OneLine(graph.Unit)}" : ""),
            });
        }
    }

    private static void AddNodes(Drawing drawing, Graph graph, List<Place> places)
    {
        for (var number = 0; number < graph.Nodes.Count; number++)
        {
            var (node, place) = (graph.Nodes[number], places[number]);
            var weight = node.Weight == 0 ? "" : $": {Numbers.Short(node.Weight)}";
            drawing.Shapes.Add(new Box(place.X, place.Y - (BoxHeight / 2), place.Width, BoxHeight, "#d9e2ec")
            { Stroke = "#7b8794", Radius = 4, Title = $"{Label(node)}{weight}", Class = $"v v{number}", IsFocusable = true });
            drawing.Shapes.Add(new Words(place.X + (place.Width / 2), place.Y + 4, Drawing.Fitted(Label(node), place.Width - 8),
                TextAnchor.Middle)
            { Color = "#1c2126", Class = "l" });
        }
    }

    private static Html Style(string mark, int nodes)
    {
        var pairs = string.Join(',',
            Enumerable.Range(0, nodes).Select(node => $".{mark}:has(.v{node}:is(:hover,:focus)) .n{node}"));
        return Html.Of($"<style>.{mark} .l{{pointer-events:none}}.{mark} "
            + $".v:focus{{outline:none;stroke:#3b82f6;stroke-width:2.5}}.{mark}:has(.v:is(:hover,:focus)) "
            + $".e{{stroke-opacity:.06}}{pairs}{{stroke-opacity:1!important}}</style>");
    }

    private static string Label(GraphNode node) => Visible.Label(node.Label.Length > 0 ? node.Label : node.Name, 32);

    private static string Describe(Graph graph)
    {
        var strongest = graph.Edges.OrderByDescending(edge => Math.Abs(edge.Weight)).Take(1)
            .Select(edge => $"; strongest edge {Visible.Label(edge.From, 32)} → {Visible.Label(edge.To, 32)} "
                + $"{Numbers.Short(edge.Weight)}");
        return $"graph: {Visible.OneLine(graph.ToString())}{string.Concat(strongest)}";
    }

    private sealed record Place(double X, double Y, double Width);
}
