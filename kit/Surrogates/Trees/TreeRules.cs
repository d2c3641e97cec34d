using System.Globalization;

namespace ResearchKit.Surrogates;

/// <summary>Reads the rules of the leaves of a tree.</summary>
internal static class TreeRules
{
    public static IReadOnlyList<Rule> Of(DecisionTree tree)
    {
        var rules = new List<Rule>();
        Walk(tree, tree.Nodes[0], [], rules);
        return rules;
    }

    /// <summary>The conditions of a node: the bounds that the splits above it set.</summary>
    /// <param name="bounds">Bounds of features, in the order in which they were first asked.</param>
    /// <param name="split">The node above.</param>
    /// <param name="name">Name of the feature.</param>
    /// <param name="isLeft">Whether it is the left child.</param>
    public static List<Condition> Narrowed(List<Condition> bounds, TreeNode split, string name, bool isLeft)
    {
        var narrowed = new List<Condition>(bounds);
        var at = narrowed.FindIndex(condition => condition.Feature == split.Feature);
        if (at < 0)
        {
            at = narrowed.Count;
            narrowed.Add(new Condition(split.Feature, name, double.NegativeInfinity, double.PositiveInfinity));
        }
        narrowed[at] = isLeft ? narrowed[at] with { UpTo = Math.Min(narrowed[at].UpTo, split.Threshold) }
            : narrowed[at] with { Above = Math.Max(narrowed[at].Above, split.Threshold) };
        return narrowed;
    }

    /// <summary>What a node says, in words.</summary>
    public static string Consequence(DecisionTree tree, TreeNode node) => tree.IsClassifier
        ? tree.ClassNames[DecisionTree.ClassOf(node)] : node.Value[0].ToString("G4", CultureInfo.InvariantCulture);

    private static void Walk(DecisionTree tree, TreeNode node, List<Condition> bounds, List<Rule> rules)
    {
        if (node.IsLeaf)
        {
            rules.Add(new Rule(bounds, tree.Output(node), Consequence(tree, node), node.Samples));
            return;
        }
        var name = tree.FeatureNames[node.Feature];
        Walk(tree, tree.Nodes[node.Left], Narrowed(bounds, node, name, isLeft: true), rules);
        Walk(tree, tree.Nodes[node.Right], Narrowed(bounds, node, name, isLeft: false), rules);
    }
}
