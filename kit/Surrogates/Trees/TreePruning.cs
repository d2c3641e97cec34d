namespace ResearchKit.Surrogates;

/// <summary>Minimal cost-complexity pruning.</summary>
/// <remarks>Breiman, Friedman, Olshen and Stone, 1984, chapter 3.</remarks>
internal static class TreePruning
{
    /// <summary>Removes the weakest subtrees whose cost is not above the price of their leaves.</summary>
    /// <param name="nodes">The nodes; the root is the first.</param>
    /// <param name="alpha">Price of a leaf.</param>
    public static IReadOnlyList<TreeNode> Prune(IReadOnlyList<TreeNode> nodes, double alpha)
    {
        if (alpha <= 0) return nodes;
        var kept = nodes.ToArray();
        while (!kept[0].IsLeaf)
        {
            var weakest = Inner(kept, 0).Select(node => (Node: node, Alpha: Strength(kept, node))).MinBy(one => one.Alpha);
            if (weakest.Alpha > alpha) break;
            kept[weakest.Node] = kept[weakest.Node] with { Feature = -1, Threshold = double.NaN, Left = -1, Right = -1 };
        }
        return Renumbered(kept);
    }

    /// <summary>Increase of the cost for each leaf that is removed with the subtree.</summary>
    private static double Strength(TreeNode[] nodes, int node)
    {
        var leaves = Leaves(nodes, node).ToList();
        return (Cost(nodes, node) - leaves.Sum(leaf => Cost(nodes, leaf))) / (leaves.Count - 1);
    }

    private static double Cost(TreeNode[] nodes, int node) =>
        nodes[node].Impurity * nodes[node].WeightedSamples / nodes[0].WeightedSamples;

    private static IEnumerable<int> Inner(TreeNode[] nodes, int node) => nodes[node].IsLeaf ? []
        : [node, .. Inner(nodes, nodes[node].Left), .. Inner(nodes, nodes[node].Right)];

    private static IEnumerable<int> Leaves(TreeNode[] nodes, int node) => nodes[node].IsLeaf ? [node]
        : [.. Leaves(nodes, nodes[node].Left), .. Leaves(nodes, nodes[node].Right)];

    private static List<TreeNode> Renumbered(TreeNode[] nodes)
    {
        var reached = new SortedSet<int>(Inner(nodes, 0).Concat(Leaves(nodes, 0)));
        var number = reached.Select((old, at) => (old, at)).ToDictionary(one => one.old, one => one.at);
        return [.. reached.Select(old => nodes[old]).Select(node => node.IsLeaf ? node with { Id = number[node.Id] }
            : node with { Id = number[node.Id], Left = number[node.Left], Right = number[node.Right] })];
    }
}
