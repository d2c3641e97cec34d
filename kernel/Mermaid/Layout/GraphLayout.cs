using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Lays out a diagram. Groups are laid out from the innermost outward, each as a layered drawing (Sugiyama et
/// al., 1981).
/// </summary>
/// <remarks>
/// A group is laid out by itself and then is one vertex of the group around it. An edge that crosses the border
/// of a group
/// is connected to a vertex on that border, in the group's first or last rank. So edges avoid the nodes of
/// every group.
/// </remarks>
internal sealed class GraphLayout
{
    private readonly Graph graph;
    private readonly Dictionary<GraphGroup, List<LevelLink>> links = [];
    private readonly Dictionary<GraphGroup, Flow> flows = [];
    private readonly HashSet<GraphGroup> crossed = [];
    private readonly HashSet<GraphEdge> turned = [];

    private GraphLayout(Graph graph) => this.graph = graph;

    /// <summary>Returns the positions of all elements on the page.</summary>
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

    /// <summary>
    /// Assigns each edge to the groups that it passes through, and reverses edges that would form cycles.
    /// </summary>
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

    /// <summary>
    /// Determines the direction of each group. As in Mermaid, a group with edges across its border has the
    /// direction of the group around it.
    /// </summary>
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
/// The part of an edge inside one group: from an upper item to a lower one. If one is null, the edge crosses
/// the border there.
/// </summary>
internal sealed record LevelLink(GraphEdge Edge, GraphItem? Upper, GraphItem? Lower)
{
    /// <summary>True in the group that contains both ends; the label is placed there.</summary>
    public bool IsWhole => Upper is not null && Lower is not null;
}
