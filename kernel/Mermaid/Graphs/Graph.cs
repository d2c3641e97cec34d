using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>A diagram of nodes and edges: a flowchart, class diagram or state diagram.</summary>
internal sealed class Graph
{
    public const int MostNodes = 2_000;
    public const int MostEdges = 4_000;
    private const int Deepest = 16;

    private readonly Dictionary<string, GraphItem> byId = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Paint> edgePaints = [];

    /// <summary>The root group, which contains everything.</summary>
    public GraphGroup Root { get; } = new("", null);

    public List<GraphNode> Nodes { get; } = [];

    public List<GraphGroup> Groups { get; } = [];

    public List<GraphEdge> Edges { get; } = [];

    public Dictionary<string, Paint> ClassPaints { get; } = new(StringComparer.Ordinal);

    /// <summary>The default paint of edges.</summary>
    public Paint EdgePaint { get; private set; } = new();

    /// <summary>The author's title; null for none.</summary>
    public string? Title { get; set; }

    public GraphItem? Find(string id) => byId.GetValueOrDefault(id);

    /// <summary>Returns the node or group of a name; creates a node if there is none.</summary>
    public GraphItem NodeOf(string id, GraphGroup group, MermaidReader place, int at)
    {
        if (byId.TryGetValue(id, out var known))
        {
            Claim(known, group);
            return known;
        }
        if (Nodes.Count == MostNodes)
            throw place.Refused($"The diagram has more than {MostNodes:N0} nodes; a diagram can "
                + "have at most that many.", at);
        var node = new GraphNode(id, group);
        group.Items.Add(node);
        Nodes.Add(node);
        byId[id] = node;
        return node;
    }

    /// <summary>
    /// Returns the group of a name; creates it inside <paramref name="parent"/> if there is none.
    /// </summary>
    public GraphGroup GroupOf(string id, GraphGroup parent, MermaidReader place, int at)
    {
        if (byId.GetValueOrDefault(id) is GraphGroup known) return known;
        if (parent.Depth + 1 > Deepest)
            throw place.Refused($"Groups are nested more than {Deepest} deep inside each other.", at);
        var group = new GraphGroup(id, parent);
        if (byId.GetValueOrDefault(id) is GraphNode early) Replace(early, group);
        parent.Items.Add(group);
        Groups.Add(group);
        byId[id] = group;
        return group;
    }

    public void Add(GraphEdge edge, MermaidReader place)
    {
        if (Edges.Count == MostEdges)
            throw place.Refused($"The diagram has more than {MostEdges:N0} edges; a diagram can "
                + "have at most that many.", edge.At);
        Edges.Add(edge);
    }

    /// <summary>Validates the complete diagram and returns it.</summary>
    public Graph Finished(MermaidReader place)
    {
        Title = place.Title;
        foreach (var edge in Edges.Where(edge =>
            edge.From != edge.To && (edge.From.Around.Contains(edge.To) || edge.To.Around.Contains(edge.From))))
            throw place.Refused($"An edge cannot lead between \"{edge.From.Id}\" and \"{edge.To.Id}\", because "
                + "one contains the other.", edge.At);
        return this;
    }

    public void PaintEdge(int? index, Paint paint)
    {
        if (index is { } number) edgePaints[number] = edgePaints.GetValueOrDefault(number, new Paint()).With(paint);
        else EdgePaint = EdgePaint.With(paint);
    }

    public Paint PaintOf(int edge) => EdgePaint.With(edgePaints.GetValueOrDefault(edge));

    /// <summary>Returns the author's colors for an item: those of its classes, overridden by its own.</summary>
    public Paint PaintOf(GraphItem item)
    {
        var paint = item is GraphNode ? ClassPaints.GetValueOrDefault("default", new Paint()) : new Paint();
        return item.Classes.Aggregate(paint, (sum, name) => sum.With(ClassPaints.GetValueOrDefault(name))).With(item.Paint);
    }

    /// <summary>Replaces a node by a group, when a name that was used as a node turns out to be a group.</summary>
    private void Replace(GraphNode node, GraphGroup group)
    {
        Nodes.Remove(node);
        node.Parent!.Items.Remove(node);
        group.Paint = node.Paint;
        group.Classes.AddRange(node.Classes);
        for (var i = 0; i < Edges.Count; i++)
        {
            if (Edges[i].From == node) Edges[i] = Edges[i] with { From = group };
            if (Edges[i].To == node) Edges[i] = Edges[i] with { To = group };
        }
    }

    /// <summary>Moves a node that was first used outside all groups into the first group that names it.</summary>
    private void Claim(GraphItem item, GraphGroup group)
    {
        if (item is not GraphNode || item.Parent != Root || group == Root) return;
        Root.Items.Remove(item);
        item.Parent = group;
        group.Items.Add(item);
    }
}
