using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>The vertices and edges of one group, assigned to ranks.</summary>
internal sealed class LevelGraph
{
    public const int MostVertices = 60_000;
    private const double LoopWidth = 34;
    private readonly Dictionary<GraphItem, Vertex> byItem = [];
    private readonly Flow flow;
    private readonly IReadOnlyDictionary<GraphGroup, Placement> inner;
    private readonly IReadOnlySet<GraphEdge> turned;

    public LevelGraph(
        GraphGroup group, Flow flow, IReadOnlyList<LevelLink> links, IReadOnlyDictionary<GraphGroup, Placement> inner,
        IReadOnlySet<GraphEdge> turned)
    {
        (this.flow, this.inner, this.turned) = (flow, inner, turned);
        Loops = links.Where(link => link.IsWhole && link.Upper == link.Lower).ToLookup(link => link.Upper!, link => link.Edge);
        foreach (var item in group.Items) Vertices.Add(byItem[item] = OfItem(item));
        foreach (var link in links.Where(link => link.Upper != link.Lower)) Edges.Add(OfLink(link));
        HasTitleRank = HasTitleBesidePorts(group);
        if (HasTitleRank)
            Vertices.Add(Title = new Vertex(VertexKind.Title, group.Label.Width + 8, group.Label.Height)
            {
                IsLast = flow.Direction == Direction.Up,
            });
        Ranking.Assign(Vertices, Edges);
        FillRanks();
    }

    public List<Vertex> Vertices { get; } = [];

    public List<LevelEdge> Edges { get; } = [];

    public List<List<Vertex>> Ranks { get; } = [];

    /// <summary>The edges from an item to itself.</summary>
    public ILookup<GraphItem, GraphEdge> Loops { get; }

    public Vertex? Title { get; }

    /// <summary>True if edges cross the border beside the title, which then is a vertex.</summary>
    public bool HasTitleRank { get; }

    /// <summary>Returns the width that a loop needs at the right of its item.</summary>
    public double LoopRoom(GraphEdge loop) =>
        LoopWidth + (loop.Label is { } label ? flow.Turned(label.Width, label.Height).Width + 10 : 0);

    private bool HasTitleBesidePorts(GraphGroup group) =>
        !group.Label.IsEmpty && group.Parent is not null && flow.Direction switch
        {
            Direction.Down => Vertices.Any(vertex => vertex.Kind == VertexKind.Entry),
            Direction.Up => Vertices.Any(vertex => vertex.Kind == VertexKind.Exit),
            _ => false,
        };

    private Vertex OfItem(GraphItem item)
    {
        var room = Loops[item].Sum(LoopRoom);
        if (item is GraphGroup group)
            return new Vertex(VertexKind.Group, inner[group].Width + room, inner[group].Height) { Item = item, LoopRoom = room };
        var node = (GraphNode)item;
        var size = Outline.SizeOf(node);
        if (node.Shape == NodeShape.Bar && flow.IsSideways) size = (size.Height, size.Width);
        var (width, height) = flow.Turned(size.Width, size.Height);
        var border = Outline.Of(node.Shape, size.Width, size.Height).Select(point => flow.FromPage(point, 0));
        return new Vertex(VertexKind.Node, width + room, height)
        {
            Item = item,
            LoopRoom = room,
            Border = [.. border],
            ArrowShare = Outline.ShareForArrows(node.Shape),
        };
    }

    private LevelEdge OfLink(LevelLink link)
    {
        var from = link.Upper is { } upper ? byItem[upper] : Port(VertexKind.Entry);
        var to = link.Lower is { } lower ? byItem[lower] : Port(VertexKind.Exit);
        if (!link.IsWhole) return new LevelEdge(from, to, link.Edge, 1);
        if (link.Edge.Label is not { } text) return new LevelEdge(from, to, link.Edge, link.Edge.Length);
        var (width, height) = flow.Turned(text.Width + 8, text.Height + 4);
        return new LevelEdge(from, to, link.Edge, Math.Max(2, link.Edge.Length))
        {
            Label = new Vertex(VertexKind.Label, width, height),
        };
    }

    private Vertex Port(VertexKind kind)
    {
        var port = new Vertex(kind, 0, 0);
        Vertices.Add(port);
        return port;
    }

    /// <summary>Adds a bend in each rank that an edge passes through, with its label in the middle one.</summary>
    private void FillRanks()
    {
        foreach (var vertex in Vertices) InRank(vertex);
        var count = Vertices.Count + Edges.Sum(edge => (long)edge.To.Rank - edge.From.Rank - 1);
        if (count > MostVertices)
        {
            var message = $"The layout of the diagram needs {count:N0} vertices, because its edges span many ranks; "
                + $"expected at most {MostVertices:N0}.";
            throw new MermaidException("MermaidTooLarge", message, [message]);
        }
        foreach (var edge in Edges)
        {
            edge.Chain.Add(edge.From);
            var middle = (edge.From.Rank + edge.To.Rank) / 2;
            for (var rank = edge.From.Rank + 1; rank < edge.To.Rank; rank++)
            {
                var vertex = rank == middle && edge.Label is { } label ? label : new Vertex(VertexKind.Bend, 0, 0);
                vertex.Rank = rank;
                InRank(vertex);
                edge.Chain.Add(vertex);
            }
            edge.Chain.Add(edge.To);
            Join(edge);
        }
    }

    private void InRank(Vertex vertex)
    {
        while (Ranks.Count <= vertex.Rank) Ranks.Add([]);
        Ranks[vertex.Rank].Add(vertex);
    }

    private void Join(LevelEdge edge)
    {
        var (fromPort, toPort) = (PortOf(edge.From, edge.Edge), PortOf(edge.To, edge.Edge));
        var isTurned = turned.Contains(edge.Edge);
        var (upperText, lowerText) = isTurned ? (edge.Edge.EndText, edge.Edge.StartText)
            : (edge.Edge.StartText, edge.Edge.EndText);
        for (var i = 0; i + 1 < edge.Chain.Count; i++)
        {
            var (isFirst, isLast) = (i == 0, i + 2 == edge.Chain.Count);
            var piece = new Piece(edge.Chain[i], edge.Chain[i + 1])
            {
                IsFromFixed = isFirst && fromPort is not null,
                FromOffset = isFirst ? fromPort ?? 0 : 0,
                IsToFixed = isLast && toPort is not null,
                ToOffset = isLast ? toPort ?? 0 : 0,
                FromRoom = isFirst ? Room(upperText) : 0,
                ToRoom = isLast ? Room(lowerText) : 0,
                HasHeadAbove = isFirst && (isTurned ? edge.Edge.EndHead : edge.Edge.StartHead) != EdgeHead.None,
            };
            piece.From.Below.Add(piece);
            piece.To.Above.Add(piece);
            edge.Pieces.Add(piece);
        }
    }

    private double Room(Lettering.TextBlock? text) => text is null ? 0 : flow.Turned(text.Width, text.Height).Width + 10;

    private double? PortOf(Vertex vertex, GraphEdge edge) =>
        vertex.Item is GraphGroup group && inner[group].Ports.TryGetValue(edge, out var port)
            ? vertex.Shift + port - (inner[group].Width / 2) : null;
}
