using System.Globalization;
using System.Text;
using ResearchKit.Results;

namespace ResearchKit.Surrogates;

/// <summary>Writes a tree as a Mermaid flowchart and as a graph.</summary>
internal static class TreeMermaid
{
    public static string Write(DecisionTree tree)
    {
        var text = new StringBuilder("flowchart TD\n");
        foreach (var node in tree.Nodes)
            text.Append(CultureInfo.InvariantCulture, $"  n{node.Id}[\"{Escaped(Label(tree, node))}\"]\n");
        foreach (var node in tree.Nodes.Where(node => !node.IsLeaf))
            text.Append(CultureInfo.InvariantCulture,
                $"  n{node.Id} -->|yes| n{node.Left}\n  n{node.Id} -->|no| n{node.Right}\n");
        return text.ToString();
    }

    public static Graph Graph(DecisionTree tree) => new("decision tree", "rows",
        [.. tree.Nodes.Select(node => new GraphNode($"n{node.Id}", Label(tree, node), node.Samples, node.Depth))],
        [.. tree.Nodes.Where(node => !node.IsLeaf).SelectMany(node => new[] { node.Left, node.Right }
            .Select(child => new GraphEdge($"n{node.Id}", $"n{child}", tree.Nodes[child].Samples)))]);

    private static string Label(DecisionTree tree, TreeNode node) => node.IsLeaf ? TreeRules.Consequence(tree, node)
        : new Condition(node.Feature, tree.FeatureNames[node.Feature], double.NegativeInfinity, node.Threshold).ToString();

    /// <summary>Replaces the characters that end or change a quoted text of Mermaid by their codes.</summary>
    private static string Escaped(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var letter in text)
            if (letter is '"' or '#' or '<' or '>' or '&' or '`' or ';' or '\n' or '\r' || char.IsControl(letter))
                safe.Append(CultureInfo.InvariantCulture, $"#{(int)letter};");
            else safe.Append(letter);
        return safe.ToString();
    }
}
