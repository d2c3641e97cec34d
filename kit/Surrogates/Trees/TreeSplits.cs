namespace ResearchKit.Surrogates;

/// <summary>A split of a node.</summary>
/// <param name="Feature">Number of the feature.</param>
/// <param name="Threshold">Rows with a value up to this go to the left.</param>
/// <param name="Left">Rows of the left child.</param>
/// <param name="Right">Rows of the right child.</param>
/// <param name="Improvement">Decrease of the impurity, times the node's share of all weights.</param>
internal sealed record TreeSplit(int Feature, double Threshold, int[] Left, int[] Right, double Improvement);

/// <summary>
/// Finds the best split of a node by trying the middle between each two neighbouring values of each feature.
/// </summary>
/// <param name="rows">[row][feature], rounded to float32.</param>
/// <param name="targets">Labels and weights.</param>
/// <param name="options">How the tree grows.</param>
/// <param name="totalWeight">Weight of all rows.</param>
internal sealed class TreeSplits(double[][] rows, TreeTargets targets, DecisionTreeOptions options, double totalWeight)
{
    private const double SameValue = 1e-7;   // scikit-learn's distance below which two values count as equal

    /// <summary>Returns the best split; null if there is none that leaves enough rows on both sides.</summary>
    /// <remarks>Of equally good splits, the one of the lowest feature and threshold.</remarks>
    public TreeSplit? Best(int[] node, double impurity)
    {
        var best = (Feature: -1, Position: -1, Cost: double.PositiveInfinity);
        int[] order = [];
        for (var feature = 0; feature < rows[0].Length; feature++)
        {
            var (sorted, values) = Sorted(node, feature);
            if (values[^1] <= values[0] + SameValue) continue;
            if (BestPosition(sorted, values) is not { } found || found.Cost >= best.Cost) continue;
            best = (feature, found.Position, found.Cost);
            order = sorted;
        }
        if (best.Feature < 0) return null;
        int[] left = order[..best.Position], right = order[best.Position..];
        var (low, high) = (rows[left[^1]][best.Feature], rows[right[0]][best.Feature]);
        var middle = (low / 2) + (high / 2);
        return new TreeSplit(best.Feature, middle == high ? low : middle, left, right, Improvement(node, left, right, impurity));
    }

    private (int[] Rows, double[] Values) Sorted(int[] node, int feature)
    {
        var sorted = (int[])node.Clone();
        var values = Array.ConvertAll(node, row => rows[row][feature]);
        Array.Sort(values, sorted);
        return (sorted, values);
    }

    private (int Position, double Cost)? BestPosition(int[] sorted, double[] values)
    {
        var (right, rightWeight) = targets.Sum(sorted);
        var left = new double[targets.Width];
        var leftWeight = 0.0;
        (int Position, double Cost)? best = null;
        var leastWeight = options.MinWeightFractionLeaf * totalWeight;
        for (var at = 1; at < sorted.Length; at++)
        {
            var weight = targets.Weight(sorted[at - 1]);
            targets.Add(left, sorted[at - 1], 1);
            targets.Add(right, sorted[at - 1], -1);
            leftWeight += weight;
            rightWeight -= weight;
            if (at < options.MinSamplesLeaf || sorted.Length - at < options.MinSamplesLeaf) continue;
            if (values[at] <= values[at - 1] + SameValue || leftWeight < leastWeight || rightWeight < leastWeight) continue;
            if (leftWeight <= 0 || rightWeight <= 0) continue;
            var cost = targets.Cost(left, leftWeight) + targets.Cost(right, rightWeight);
            if (best is null || cost < best.Value.Cost) best = (at, cost);
        }
        return best;
    }

    private double Improvement(int[] node, int[] left, int[] right, double impurity)
    {
        var (weight, leftWeight, rightWeight) = (targets.Sum(node).Weight, targets.Sum(left).Weight, targets.Sum(right).Weight);
        var children = (leftWeight * targets.Impurity(left)) + (rightWeight * targets.Impurity(right));
        return ((weight * impurity) - children) / totalWeight;
    }
}
