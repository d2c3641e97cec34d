namespace ResearchKit.Surrogates;

/// <summary>Grows a tree by CART: depth first, or by the best split first if the number of leaves is limited.</summary>
internal sealed class TreeGrower
{
    private readonly TreeTargets targets;
    private readonly DecisionTreeOptions options;
    private readonly TreeSplits splits;
    private readonly List<TreeNode> nodes = [];
    private readonly double totalWeight;

    /// <param name="rows">[row][feature], rounded to float32.</param>
    /// <param name="targets">Labels and weights.</param>
    /// <param name="options">How the tree grows.</param>
    public TreeGrower(double[][] rows, TreeTargets targets, DecisionTreeOptions options)
    {
        this.targets = targets;
        this.options = options;
        int[] all = [.. Enumerable.Range(0, rows.Length).Where(row => targets.Weight(row) > 0)];
        totalWeight = targets.Sum(all).Weight;
        splits = new TreeSplits(rows, targets, options, totalWeight);
        Add(all, 0);
        if (options.MaxLeafNodes is { } leaves) GrowBestFirst(all, leaves);
        else GrowDepthFirst(0, all);
    }

    public IReadOnlyList<TreeNode> Nodes => nodes;

    private int Add(int[] rows, int depth)
    {
        nodes.Add(new TreeNode(nodes.Count, -1, double.NaN, -1, -1, depth, targets.Impurity(rows), rows.Length,
            targets.Sum(rows).Weight, targets.Value(rows)));
        return nodes.Count - 1;
    }

    private void GrowDepthFirst(int node, int[] rows)
    {
        if (Split(nodes[node], rows) is not { } split) return;
        var left = Add(split.Left, nodes[node].Depth + 1);
        GrowDepthFirst(left, split.Left);
        var right = Add(split.Right, nodes[node].Depth + 1);
        Join(node, split, left, right);
        GrowDepthFirst(right, split.Right);
    }

    private void GrowBestFirst(int[] all, int leaves)
    {
        var frontier = new List<(int Node, TreeSplit Split)>();
        Consider(0, all);
        for (var count = 1; count < leaves && frontier.Count > 0; count++)
        {
            var best = frontier.MaxBy(entry => entry.Split.Improvement);
            frontier.Remove(best);
            var depth = nodes[best.Node].Depth + 1;
            var left = Add(best.Split.Left, depth);
            var right = Add(best.Split.Right, depth);
            Join(best.Node, best.Split, left, right);
            Consider(left, best.Split.Left);
            Consider(right, best.Split.Right);
        }

        void Consider(int node, int[] rows)
        {
            if (Split(nodes[node], rows) is { } split) frontier.Add((node, split));
        }
    }

    private void Join(int node, TreeSplit split, int left, int right) => nodes[node] = nodes[node] with
    {
        Feature = split.Feature,
        Threshold = split.Threshold,
        Left = left,
        Right = right,
    };

    private TreeSplit? Split(TreeNode node, int[] rows)
    {
        const double Smallest = 2.220446049250313e-16;   // spacing of float64 at 1
        var isLeaf = node.Depth >= options.MaxDepth || rows.Length < options.MinSamplesSplit
            || rows.Length < 2 * options.MinSamplesLeaf || node.Impurity <= Smallest
            || node.WeightedSamples < 2 * options.MinWeightFractionLeaf * totalWeight;
        if (isLeaf || splits.Best(rows, node.Impurity) is not { } split) return null;
        return split.Improvement + Smallest < options.MinImpurityDecrease ? null : split;
    }
}
