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
    /// <summary>The edges, between names of nodes.</summary>
    /// <exception cref="ArgumentException">A name of a node occurs twice, or an edge names none.</exception>
    public IReadOnlyList<GraphEdge> Edges { get; init; } = Checked(Nodes, Edges);

    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>Returns the edges as comma-separated values: a line for each edge.</summary>
    public string ToCsv() => Csv.Write(
        Edges.Select(edge => (IEnumerable<string>)[edge.From, edge.To, Csv.Number(edge.Weight)]).Prepend(["from", "to",
            "weight"]));

    /// <summary>Returns the nodes and edges as JSON; a number that is not finite is null.</summary>
    public string ToJson() => ResultJson.Write(Title, Unit, Evidence, json =>
    {
        json.WriteStartArray("nodes");
        foreach (var node in Nodes)
        {
            json.WriteStartObject();
            json.WriteString("name", node.Name);
            json.WriteString("label", node.Label);
            json.Number("weight", node.Weight);
            json.WriteNumber("layer", node.Layer);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("edges");
        foreach (var edge in Edges)
        {
            json.WriteStartObject();
            json.WriteString("from", edge.From);
            json.WriteString("to", edge.To);
            json.Number("weight", edge.Weight);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Nodes.Count} nodes, {Edges.Count} edges"
        + (Evidence is null ? "" : $" ({Evidence})");

    private static IReadOnlyList<GraphEdge> Checked(IReadOnlyList<GraphNode> nodes, IReadOnlyList<GraphEdge> edges)
    {
        var names = new HashSet<string>();
        foreach (var node in nodes)
            if (!names.Add(node.Name)) throw new ArgumentException($"Two nodes are named '{node.Name}'.", nameof(nodes));
        foreach (var edge in edges)
            if (!names.Contains(edge.From) || !names.Contains(edge.To))
                throw new ArgumentException($"No node is named '{(names.Contains(edge.From) ? edge.To : edge.From)}', "
                    + $"which the edge from '{edge.From}' to '{edge.To}' names.", nameof(edges));
        return edges;
    }
}
