namespace ResearchKit.Surrogates;

/// <summary>Nearest points of another class, for models where they can be computed.</summary>
internal static class ExactCounterfactuals
{
    /// <summary>The nearest point on the other side of a hyperplane, inside a box.</summary>
    public static Counterfactual Linear(double[] weights, double bias, double[] row, CounterfactualOptions options)
    {
        var limits = new FeatureLimits(row, options, null);
        var output = bias + weights.Zip(row).Sum(pair => pair.First * pair.Second);
        var goal = output > 0 ? -options.Margin : options.Margin;
        var needed = goal - output;     // change of the output
        var reach = Enumerable.Range(0, row.Length).Sum(feature => Moved(feature, Math.Sign(needed) * double.PositiveInfinity));
        if (!(Math.Abs(reach) >= Math.Abs(needed)))
            throw new ArgumentException("No point within the ranges is on the other side of the boundary: the output is "
                + FormattableString.Invariant($"{output:G5}, and the free features change it by at most {Math.Abs(reach):G5}."));
        var point = options.Norm == DistanceNorm.L1 ? Steepest() : Straight();
        var changes = point.Zip(row, (to, from) => to - from).ToArray();
        return limits.Describe(row, point, output > 0 ? 0 : 1, Norm(changes, options.Norm));

        // change of the output when a feature moves along its weight, by a multiple of it
        double Moved(int feature, double multiple) => weights[feature] == 0 ? 0
            : weights[feature] * (limits.Clamp(feature, row[feature] + (multiple * weights[feature])) - row[feature]);

        double[] Straight()
        {
            double low = 0, high = 1;
            double Reached(double multiple) => Enumerable.Range(0, row.Length).Sum(feature => Moved(feature,
                Math.Sign(needed) * multiple));
            while (Math.Abs(Reached(high)) < Math.Abs(needed) && high < 1e300) high *= 2;
            for (var step = 0; step < 2000 && high > Math.BitIncrement(low); step++)
            {
                var middle = low + ((high - low) / 2);
                if (Math.Abs(Reached(middle)) < Math.Abs(needed)) low = middle;
                else high = middle;
            }
            return [.. row.Select((value, feature) => weights[feature] == 0 ? value
                : limits.Clamp(feature, value + (Math.Sign(needed) * high * weights[feature])))];
        }

        double[] Steepest()
        {
            var moved = (double[])row.Clone();
            var left = needed;
            foreach (var feature in limits.Free.Where(each => weights[each] != 0).OrderByDescending(each =>
                Math.Abs(weights[each])))
            {
                moved[feature] = limits.Clamp(feature, row[feature] + (left / weights[feature]));
                left -= weights[feature] * (moved[feature] - row[feature]);
                if (Math.Abs(left) <= 1e-15 * Math.Abs(needed)) break;
            }
            return moved;
        }
    }

    /// <summary>The nearest leaf of another class: the nearest point of its box.</summary>
    public static Counterfactual Tree(DecisionTree tree, double[] row, CounterfactualOptions options)
    {
        var limits = new FeatureLimits(row, options with { FeatureNames = tree.FeatureNames }, null);
        var own = DecisionTree.ClassOf(tree.Nodes[tree.LeafOf(row)]);
        (double[] Point, int Class, double Distance)? best = null;
        foreach (var rule in tree.Rules())
        {
            var label = BatchedModel.Largest(rule.Output);
            if (options.Target is { } wanted ? label != wanted : label == own) continue;
            if (Nearest(rule, row, limits) is not { } point) continue;
            var distance = Norm([.. point.Zip(row, (to, from) => to - from)], options.Norm);
            if (best is null || distance < best.Value.Distance) best = (point, label, distance);
        }
        if (best is not { } found)
            throw new ArgumentException("No leaf of another class can be reached within the ranges of the free features.");
        return limits.Describe(row, found.Point, found.Class, found.Distance);
    }

    public static double Norm(double[] changes, DistanceNorm norm) => norm == DistanceNorm.L1 ? changes.Sum(Math.Abs)
        : Math.Sqrt(changes.Sum(change => change * change));

    /// <summary>The nearest point that fulfils a rule; null if the limits forbid it.</summary>
    private static double[]? Nearest(Rule rule, double[] row, FeatureLimits limits)
    {
        var point = (double[])row.Clone();
        foreach (var condition in rule.Conditions)
        {
            var feature = condition.Feature;
            if (condition.Holds((float)row[feature])) continue;
            point[feature] = (float)row[feature] <= condition.Above ? After(condition.Above) : UpTo(condition.UpTo);
            var isAllowed = point[feature] >= limits.Low[feature] && point[feature] <= limits.High[feature];
            if (!isAllowed || !condition.Holds((float)point[feature])) return null;
        }
        return point;
    }

    /// <summary>The smallest float32 above a bound, because the tree rounds to float32.</summary>
    private static double After(double bound) => (float)bound > bound ? (float)bound : MathF.BitIncrement((float)bound);

    /// <summary>The largest float32 that is not above a bound.</summary>
    private static double UpTo(double bound) => (float)bound > bound ? MathF.BitDecrement((float)bound) : (float)bound;
}
