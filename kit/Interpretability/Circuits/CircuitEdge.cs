using ResearchKit.Results;

namespace ResearchKit.Interpretability;

/// <summary>An edge of a circuit: what one part writes to the residual stream and another reads.</summary>
/// <param name="From">Name of the sender: <c>input</c> (the embeddings), <c>a1.h3</c> (head 3 of layer 1) or <c>m1</c> (an
/// MLP).</param>
/// <param name="To">Name of the reader: <c>a1.h3</c>, <c>m1</c> or <c>logits</c>.</param>
/// <param name="Input">Which input of a head: <c>q</c>, <c>k</c> or <c>v</c>; empty for the others.</param>
/// <param name="Score">The change of the target if the edge carries what it carries for the corrupted input.</param>
public sealed record CircuitEdge(string From, string To, string Input, double Score)
{
    /// <summary>Its name, such as <c>a0.h1->a1.h3&lt;k&gt;</c>.</summary>
    public string Name => $"{From}->{To}{(Input.Length > 0 ? $"<{Input}>" : "")}";

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}: {Score:g3}");
}

/// <summary>All edges of a model with their scores.</summary>
/// <param name="Title">How they were scored.</param>
/// <param name="Unit">Unit of the scores.</param>
/// <param name="Edges">The edges, those with the largest absolute score first.</param>
public sealed record CircuitScores(string Title, string Unit, IReadOnlyList<CircuitEdge> Edges)
{
    /// <summary>What the scores cost.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>The strongest edges as a graph.</summary>
    /// <param name="edges">How many edges; the nodes are those that they touch.</param>
    public Graph Strongest(int edges)
    {
        var chosen = Edges.Take(edges).ToList();
        var names = chosen.SelectMany(edge => new[] { edge.From, edge.To }).Distinct().ToList();
        var depths = names.Where(name => name != "logits").Select(Depth).DefaultIfEmpty(0).Max();
        return new Graph($"{Title}, {chosen.Count} of {Edges.Count} edges", Unit,
            [.. names.OrderBy(Depth).Select(name => new GraphNode(name, name, 0, Math.Min(Depth(name), depths + 1)))],
            [.. chosen.Select(edge => new GraphEdge(edge.From, edge.To, edge.Score))])
        {
            Evidence = Evidence,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Edges.Count} edges, the strongest {(Edges.Count > 0 ? Edges[0] : null)}"
        + (Evidence is null ? "" : $" ({Evidence})");

    /// <summary>0 for the input; of each layer first the heads, then the MLP; the output is last.</summary>
    private static int Depth(string name) => name switch
    {
        "input" => 0,
        "logits" => int.MaxValue,
        _ => 1 + (2 * int.Parse(name[1..].Split('.')[0], System.Globalization.CultureInfo.InvariantCulture))
            + (name[0] == 'm' ? 1 : 0),
    };
}
