using ResearchKit.Interpretability;

namespace ResearchKit.Formatting;

/// <summary>
/// The weights of one head as drawn: every cell, or the maximum of each block if there are many tokens.
/// </summary>
/// <param name="Pattern">Attention pattern of the head.</param>
/// <param name="Rows">Number of rows drawn.</param>
/// <param name="Columns">Number of columns drawn.</param>
/// <param name="Block">Number of tokens along each side of a block; 1 if every weight is drawn.</param>
/// <param name="Weights">Drawn weights, row by row.</param>
internal sealed record AttentionGrid(AttentionPattern Pattern, int Rows, int Columns, int Block, float[] Weights)
{
    /// <summary>Maximum number of cells of all heads together.</summary>
    private const int MostCells = 400_000;

    /// <summary>Maximum number of heads in one output.</summary>
    public const int MostHeads = 400;

    /// <summary>Reduces the patterns to a size that fits into one output.</summary>
    public static IReadOnlyList<AttentionGrid> Of(IReadOnlyList<AttentionPattern> patterns)
    {
        var shown = patterns.Take(MostHeads).ToList();
        var side = Math.Clamp((int)Math.Sqrt((double)MostCells / Math.Max(1, shown.Count)), 16, 512);
        return [.. shown.Select(pattern => Of(pattern, side))];
    }

    private static AttentionGrid Of(AttentionPattern pattern, int side)
    {
        var queries = pattern.Weights.GetLength(0);
        var keys = pattern.Weights.GetLength(1);
        var block = Math.Max(1, (Math.Max(queries, keys) + side - 1) / side);
        var rows = (queries + block - 1) / block;
        var columns = (keys + block - 1) / block;
        var weights = new float[rows * columns];
        for (var query = 0; query < queries; query++)
            for (var key = 0; key < keys; key++)
            {
                ref var cell = ref weights[(query / block * columns) + (key / block)];
                var weight = pattern.Weights[query, key];
                // a NaN in the block is kept, since no comparison with it is true
                if (weight > cell || float.IsNaN(weight)) cell = weight;
            }
        return new AttentionGrid(pattern, rows, columns, block, weights);
    }

    /// <summary>
    /// Returns the largest weights of a head, largest first. Weights up to 0.01 are left out, and so is the first
    /// query if it attends only to itself, as in every causal model.
    /// </summary>
    public static IReadOnlyList<(int Query, int Key, float Weight)> Strongest(AttentionPattern pattern, int most)
    {
        var queue = new PriorityQueue<(int, int, float), float>();
        var queries = pattern.Weights.GetLength(0);
        for (var query = queries > 1 && pattern.Weights.Length > 0 && pattern.Weights[0, 0] > 0.999f ? 1 : 0;
            query < queries; query++)
            for (var key = 0; key < pattern.Weights.GetLength(1); key++)
            {
                var weight = pattern.Weights[query, key];
                if (!(weight > 0.01f) || (queue.Count == most && weight <= queue.Peek().Item3)) continue;
                queue.Enqueue((query, key, weight), weight);
                if (queue.Count > most) queue.Dequeue();
            }
        return [.. queue.UnorderedItems.Select(item => item.Element).OrderByDescending(link => link.Item3)
            .ThenBy(link => link.Item1)];
    }

    /// <summary>Returns the text of a token, or its index if the pattern has no text for it.</summary>
    public static string Token(IReadOnlyList<string> tokens, int index) =>
        index < tokens.Count ? Visible.Token(tokens[index]) : $"#{index}";
}
