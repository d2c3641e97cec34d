using ResearchKit.Results;

namespace ResearchKit.Interpretability;

/// <summary>A number that sums up the pattern of a head.</summary>
public enum AttentionStatistic
{
    /// <summary>Mean entropy of a query's weights, in nats: 0 if each query attends to one key.</summary>
    Entropy,

    /// <summary>Mean of each query's largest weight.</summary>
    LargestWeight,

    /// <summary>Mean distance of what is attended to, in tokens.</summary>
    Distance,
}

/// <summary>Attention maps as grids, for the tables, figures and files that grids have.</summary>
public static class AttentionGrids
{
    /// <summary>One head as a grid: rows are queries, columns are keys.</summary>
    public static Grid ToGrid(this AttentionPattern pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var (rows, columns) = (pattern.Weights.GetLength(0), pattern.Weights.GetLength(1));
        var values = new double[rows, columns];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++) values[row, column] = pattern.Weights[row, column];
        return new Grid($"attention of layer {pattern.Layer}, head {pattern.Head}", "", Labels(pattern.QueryTokens, rows),
            Labels(pattern.KeyTokens, columns), values)
        { RowAxis = "query", ColumnAxis = "key" };
    }

    /// <summary>All heads at a glance: a grid of layers and heads.</summary>
    /// <param name="maps">The maps.</param>
    /// <param name="statistic">What each cell says of its head.</param>
    public static Grid Overview(this AttentionMaps maps, AttentionStatistic statistic = AttentionStatistic.Entropy)
    {
        ArgumentNullException.ThrowIfNull(maps);
        var layers = maps.Patterns.Select(pattern => pattern.Layer).Distinct().Order().ToList();
        var heads = maps.Patterns.Select(pattern => pattern.Head).Distinct().Order().ToList();
        var values = new double[layers.Count, heads.Count];
        for (var row = 0; row < layers.Count; row++)
            for (var column = 0; column < heads.Count; column++) values[row, column] = double.NaN;
        foreach (var pattern in maps.Patterns)
            values[layers.IndexOf(pattern.Layer), heads.IndexOf(pattern.Head)] = Of(pattern.Weights, statistic);
        var (title, unit) = statistic switch
        {
            AttentionStatistic.Entropy => ("entropy of attention", "nats"),
            AttentionStatistic.LargestWeight => ("largest weight of a query", ""),
            _ => ("distance of attention", "tokens"),
        };
        return new Grid(title, unit, [.. layers.Select(layer => $"{layer}")], [.. heads.Select(head => $"{head}")], values)
        {
            RowAxis = "layer",
            ColumnAxis = "head",
        };
    }

    private static double Of(float[,] weights, AttentionStatistic statistic)
    {
        var (queries, keys) = (weights.GetLength(0), weights.GetLength(1));
        var sum = 0.0;
        for (var query = 0; query < queries; query++)
        {
            var largest = 0.0;
            for (var key = 0; key < keys; key++)
            {
                double weight = weights[query, key];
                largest = Math.Max(largest, weight);
                if (statistic == AttentionStatistic.Entropy && weight > 0) sum -= weight * Math.Log(weight);
                if (statistic == AttentionStatistic.Distance) sum += weight * Math.Abs(query - key);
            }
            if (statistic == AttentionStatistic.LargestWeight) sum += largest;
        }
        return queries == 0 ? double.NaN : sum / queries;
    }

    private static IReadOnlyList<string> Labels(IReadOnlyList<string> tokens, int count) =>
        [.. Enumerable.Range(0, count).Select(index => index < tokens.Count ? tokens[index] : $"#{index}")];
}
