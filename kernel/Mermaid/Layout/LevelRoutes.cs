using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Computes the routes of a group's edges: vertical inside a rank and curved only between ranks, so that they
/// do not cross nodes.
/// </summary>
internal sealed class LevelRoutes(
    Flow flow, LevelGraph level, Placement placed, IReadOnlyDictionary<GraphGroup, Placement> inner, double[] tops,
    double[] heights)
{
    private const double Stub = 15;
    private const double ShortStub = 4;

    public void Draw()
    {
        foreach (var edge in level.Edges) Draw(edge);
        foreach (var loops in level.Loops) Draw(level.Vertices.First(vertex => vertex.Item == loops.Key), [.. loops]);
    }

    private void Draw(LevelEdge edge)
    {
        var route = new Route();
        if (InnerWay(edge.From, edge.Edge) is { } before) route.Append(before);
        route.Append(OwnWay(edge).Steps);
        if (InnerWay(edge.To, edge.Edge) is { } after) route.Append(after);
        placed.Routes[edge.Edge] = route;
        if (edge.From.Kind == VertexKind.Entry) placed.Ports[edge.Edge] = edge.From.X;
        if (edge.To.Kind == VertexKind.Exit) placed.Ports[edge.Edge] = edge.To.X;
        if (edge.Label is { } label)
            placed.Labels[edge.Edge] = Box.Around(new Point(label.X, label.Y), label.Width, label.Height);
    }

    /// <summary>Returns the part of a route that is inside a child group.</summary>
    private IEnumerable<Step>? InnerWay(Vertex vertex, GraphEdge edge)
    {
        if (vertex.Item is not GraphGroup group || !inner[group].Ports.ContainsKey(edge)) return null;
        var box = placed.Items[group];
        return inner[group].Routes[edge].Steps.Select(step => step.Mapped(point => point + new Point(box.X, box.Y)));
    }

    private Route OwnWay(LevelEdge edge)
    {
        var route = new Route();
        var x = edge.From.X + edge.Pieces[0].FromOffset;
        route.Move(new Point(x, StartY(edge.From, edge.Pieces[0].FromOffset)));
        foreach (var piece in edge.Pieces)
        {
            var (from, to) = (piece.From, piece.To);
            var isNode = to.Item is not null;
            var begin = tops[from.Rank] + heights[from.Rank] + (piece.HasHeadAbove ? Stub : ShortStub);
            route.Line(new Point(from.X + piece.FromOffset, begin));
            x = to.X + piece.ToOffset;
            route.Curve(new Point(x, tops[to.Rank] - (isNode ? Stub : ShortStub)));
            if (isNode || to.Kind == VertexKind.Exit) route.Line(new Point(x, EndY(to, piece.ToOffset)));
            else Pass(route, to, x);
        }
        return route;
    }

    private void Pass(Route route, Vertex vertex, double x)
    {
        if (vertex.Kind == VertexKind.Label)
        {
            route.Line(new Point(x, vertex.Y - (vertex.Height / 2)));
            route.Move(new Point(x, vertex.Y + (vertex.Height / 2)));
        }
        route.Line(new Point(x, tops[vertex.Rank] + heights[vertex.Rank]));
    }

    private static double StartY(Vertex vertex, double offset) => vertex.Kind == VertexKind.Entry ? 0
        : vertex.Y + (Outline.Cut(vertex.Border, offset - vertex.Shift)?.Bottom ?? vertex.Height / 2);

    private double EndY(Vertex vertex, double offset) => vertex.Kind == VertexKind.Exit ? placed.Height
        : vertex.Y + (Outline.Cut(vertex.Border, offset - vertex.Shift)?.Top ?? -vertex.Height / 2);

    /// <summary>Draws the loops of a vertex at its right side, one around the other.</summary>
    private void Draw(Vertex vertex, List<GraphEdge> loops)
    {
        var box = placed.Items[vertex.Item!];
        var turnedBorder = vertex.Border.Select(point => new Point(point.Y, point.X)).ToList();
        var outer = box.Right;
        for (var i = 0; i < loops.Count; i++)
        {
            var reach = Math.Min(0.44, 0.22 + (0.07 * i)) * box.Height;
            var far = outer
                + level.LoopRoom(loops[i]) - (loops[i].Label is { } text ? flow.Turned(text.Width, text.Height).Width + 10
                    : 0) - 8;
            var route = new Route();
            double Side(double y) => box.Centre.X + (Outline.Cut(turnedBorder, y)?.Bottom ?? box.Width / 2);
            var (start, end) = (new Point(Side(-reach), box.Centre.Y - reach), new Point(Side(reach), box.Centre.Y + reach));
            var near = new Point(Math.Min(end.X + Stub, far - 4), end.Y);
            route.Move(start);
            route.Steps.Add(
                new Step('C', new Point(far, box.Centre.Y), start with { X = far }, new Point(far, box.Centre.Y - (reach / 2))));
            route.Steps.Add(new Step('C', near, new Point(far, box.Centre.Y + reach), new Point(far - 4, end.Y)));
            route.Line(end);
            placed.Routes[loops[i]] = route;
            outer += level.LoopRoom(loops[i]);
            if (loops[i].Label is not { } label) continue;
            var (width, height) = flow.Turned(label.Width, label.Height);
            placed.Labels[loops[i]] = Box.Around(new Point(far + 6 + (width / 2), box.Centre.Y), width, height);
        }
    }
}
