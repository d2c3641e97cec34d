using System.Globalization;
using System.Text;

namespace ResearchKit.Surrogates;

/// <summary>Writes a tree with a line for each branch.</summary>
internal static class TreeText
{
    public static string Write(DecisionTree tree, int decimals)
    {
        var text = new StringBuilder();
        Write(tree, tree.Nodes[0], decimals, text);
        return text.ToString();
    }

    private static void Write(DecisionTree tree, TreeNode node, int decimals, StringBuilder text)
    {
        var indent = string.Concat(Enumerable.Repeat("|   ", node.Depth)) + "|--- ";
        string Fixed(double value) => value.ToString($"F{decimals}", CultureInfo.InvariantCulture);
        if (node.IsLeaf)
        {
            text.Append(indent).Append(tree.IsClassifier ? $"class: {tree.ClassNames[DecisionTree.ClassOf(node)]}"
                : $"value: [{Fixed(node.Value[0])}]").Append('\n');
            return;
        }
        text.Append(indent).Append(tree.FeatureNames[node.Feature]).Append(" <= ").Append(Fixed(node.Threshold)).Append('\n');
        Write(tree, tree.Nodes[node.Left], decimals, text);
        text.Append(indent).Append(tree.FeatureNames[node.Feature]).Append(" >  ").Append(Fixed(node.Threshold)).Append('\n');
        Write(tree, tree.Nodes[node.Right], decimals, text);
    }
}
