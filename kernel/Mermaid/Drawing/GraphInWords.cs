using System.Text;
using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>Describes a diagram in sentences, for screen readers.</summary>
internal static class GraphInWords
{
    private const int Longest = 4_000;

    public static string Of(Graph graph, string kind)
    {
        var words = new StringBuilder($"{kind} with {Count(graph.Nodes.Count, "node")} and {Count(graph.Edges.Count, "edge")}.");
        foreach (var group in graph.Groups.Where(group => !group.Label.IsEmpty))
            words.Append($" {group.Label.Spoken} holds {string.Join(", ", group.Items.Select(Name))}.");
        foreach (var edge in graph.Edges.Where(edge => edge.Line != EdgeLine.Invisible)) words.Append(' ').Append(Sentence(edge));
        foreach (var node in graph.Nodes.Where(node => !graph.Edges.Any(edge => edge.From == node || edge.To == node)))
            words.Append($" {Name(node)} stands alone.");
        return words.Length <= Longest ? words.ToString() : $"{words.ToString(0, Longest)}…";
    }

    private static string Sentence(GraphEdge edge)
    {
        var verb = (edge.StartHead, edge.EndHead) switch
        {
            (EdgeHead.Triangle, _) => "is the base of",
            (_, EdgeHead.Triangle) => "derives from",
            (EdgeHead.Diamond or EdgeHead.HollowDiamond, _) => "has",
            (_, EdgeHead.Diamond or EdgeHead.HollowDiamond) => "is part of",
            (EdgeHead.None, EdgeHead.None) => "is joined with",
            (EdgeHead.None, _) => "leads to",
            (_, EdgeHead.None) => "comes from",
            _ => "leads to and from",
        };
        var label = edge.Label is { IsEmpty: false } text ? $" ({text.Spoken})" : "";
        return $"{Name(edge.From)} {verb} {Name(edge.To)}{label}.";
    }

    private static string Name(GraphItem item) => item switch
    {
        GraphNode { Shape: NodeShape.Start } => "The start",
        GraphNode { Shape: NodeShape.End } => "the end",
        _ when item.Label.IsEmpty => item.Id,
        _ => item.Label.Spoken,
    };

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
