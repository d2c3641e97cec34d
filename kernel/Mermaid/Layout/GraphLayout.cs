using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>Lays a diagram out: groups from the inside to the outside, each of them by ranks (Sugiyama et al., 1981).</summary>
/// <remarks>
/// A group is laid out by itself and is then one vertex of what is around it. An edge that crosses its border has a place on that
/// border, a vertex of the group's first or last rank; so edges find their way round the nodes of every group.
/// </remarks>
internal sealed class GraphLayout
{
    private readonly Graph graph;
    private readonly Dictionary<GraphGroup, List<LevelLink>> links = [];
    private readonly Dictionary<GraphGroup, Flow> flows = [];
    private readonly HashSet<GraphGroup> crossed = [];
    private readonly HashSet<GraphEdge> turned = [];

    private GraphLayout(Graph graph) => this.graph = graph;

    /// <summary>The places of everything on the page.</summary>
    public static Placement Of(Graph graph)
    {
        var layout = new GraphLayout(graph);
        layout.FindLinks();
        layout.FindFlows(graph.Root, graph.Root.Direction ?? Direction.Down);
        var placed = layout.Lay(graph.Root);
        placed.Turned.UnionWith(layout.turned);
        return OnPage(placed, layout.flows[graph.Root]);
    }

    private static Placement OnPage(Placement placed, Flow flow)
    {
        var (width, height) = flow.Turned(placed.Width, placed.Height);
        return placed.Mapped(point => flow.ToPage(point, placed.Height), width, height);
    }

    private static GraphItem ChildWith(GraphGroup group, GraphItem item)
    {
        while (item.Parent != group) item = item.Parent!;
        return item;
    }

    /// <summary>Gives each edge to the groups that it leads through, and turns round what would close a circle.</summary>
    private void FindLinks()
    {
        foreach (var group in graph.Groups.Prepend(graph.Root)) links[group] = [];
        var shared = graph.Edges.ToLookup(edge => edge.From.Around.First(edge.To.Around.Contains));
        foreach (var level in shared)
        {
            var numbers = level.Key.Items.Select((item, i) => (item, i)).ToDictionary(pair => pair.item, pair => pair.i);
            var edges = level.ToList();
            var ends = edges.Select(edge => (numbers[ChildWith(level.Key, edge.From)], numbers[ChildWith(level.Key, edge.To)]))
                .ToList();
            var backward = CycleBreaking.Backward(numbers.Count, ends);
            for (var i = 0; i < edges.Count; i++) AddLink(level.Key, edges[i], backward.Contains(i));
        }
    }

    private void AddLink(GraphGroup level, GraphEdge edge, bool isBackward)
    {
        if (isBackward) turned.Add(edge);
        var (upper, lower) = isBackward ? (edge.To, edge.From) : (edge.From, edge.To);
        links[level].Add(new LevelLink(edge, ChildWith(level, upper), ChildWith(level, lower)));
        foreach (var group in upper.Around.TakeWhile(group => group != level))
            Cross(group, new LevelLink(edge, ChildWith(group, upper), null));
        foreach (var group in lower.Around.TakeWhile(group => group != level))
            Cross(group, new LevelLink(edge, null, ChildWith(group, lower)));
    }

    private void Cross(GraphGroup group, LevelLink link)
    {
        crossed.Add(group);
        links[group].Add(link);
    }

    /// <summary>As in mermaid, a group whose nodes have edges to the outside goes the way of the outside.</summary>
    private void FindFlows(GraphGroup group, Direction direction)
    {
        flows[group] = new Flow(direction);
        foreach (var inner in group.Items.OfType<GraphGroup>())
            FindFlows(inner, inner.Direction is { } own && !crossed.Contains(inner) ? own : direction);
    }

    private Placement Lay(GraphGroup group)
    {
        var inner = new Dictionary<GraphGroup, Placement>();
        foreach (var child in group.Items.OfType<GraphGroup>())
        {
            var placed = Lay(child);
            if (flows[child] != flows[group])
            {
                var page = OnPage(placed, flows[child]);
                var (width, height) = flows[group].Turned(page.Width, page.Height);
                placed = page.Mapped(point => flows[group].FromPage(point, height), width, height);
            }
            inner[child] = placed;
        }
        return new LevelLayout(group, flows[group], links[group], inner, turned).Place();
    }
}

/// <summary>
/// What an edge does inside one group: it leads from an item down to another; where one is missing, through the border.
/// </summary>
internal sealed record LevelLink(GraphEdge Edge, GraphItem? Upper, GraphItem? Lower)
{
    /// <summary>True in the group that holds both ends: there the label stands.</summary>
    public bool IsWhole => Upper is not null && Lower is not null;
}
