namespace ResearchKit.Results;

/// <summary>A node of a graph.</summary>
/// <param name="Name">Its name, which edges refer to, such as <c>h.0.attn.head.3</c>.</param>
/// <param name="Label">The text that is shown.</param>
/// <param name="Weight">Its own number; 0 when it has none.</param>
/// <param name="Layer">Its depth, from 0; nodes of one layer are drawn side by side.</param>
public sealed record GraphNode(string Name, string Label, double Weight, int Layer);

/// <summary>A directed edge of a graph.</summary>
/// <param name="From">Name of the node where it begins.</param>
/// <param name="To">Name of the node where it ends.</param>
/// <param name="Weight">Its number, such as the effect of patching it.</param>
public sealed record GraphEdge(string From, string To, double Weight);

/// <summary>Nodes and weighted edges: a circuit, an attribution graph, a tree of rules.</summary>
/// <param name="Title">What the graph shows.</param>
/// <param name="Unit">The unit of the edges' numbers; empty when they have none.</param>
/// <param name="Nodes">The nodes; each name occurs once.</param>
/// <param name="Edges">The edges, between names of nodes.</param>
public sealed record Graph(string Title, string Unit, IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges)
{
    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Nodes.Count} nodes, {Edges.Count} edges"
        + (Evidence is null ? "" : $" ({Evidence})");
}
