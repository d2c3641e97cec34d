using ResearchKit.Interpretability;

namespace ResearchKit.Formatting;

/// <summary>
/// The weights of one head as drawn: every cell, the strongest keys of each query if all heads together have too many, and the
/// maximum of each block if there are more tokens than pixels.
/// </summary>
/// <param name="Pattern">Attention pattern of the head.</param>
/// <param name="Rows">Number of rows drawn.</param>
/// <param name="Columns">Number of columns drawn.</param>
/// <param name="Block">Number of tokens along each side of a block; 1 if every weight is drawn.</param>
/// <param name="Keys">Number of keys drawn in each row: the strongest.</param>
/// <param name="Weights">Drawn weights, row by row; 0 for those left out.</param>
/// <param name="LeftOut">Share of the weights of the drawn cells that is left out, from 0 to 1.</param>
internal sealed record AttentionGrid(
    AttentionPattern Pattern, int Rows, int Columns, int Block, int Keys, float[] Weights, double LeftOut)
{
    /// <summary>Maximum number of heads in one output.</summary>
    public const int MostHeads = 400;

    private const int Longest = 512;

    /// <summary>Most cells of all heads together of which each is drawn.</summary>
    private const long MostDense = 2_500_000;

    /// <summary>Most cells of all heads together that are drawn if not each is: about two bytes a cell.</summary>
    private const long MostSparse = 560_000;

    /// <summary>Reduces the patterns to a size that fits into one output.</summary>
    public static IReadOnlyList<AttentionGrid> Of(IReadOnlyList<AttentionPattern> patterns)
    {
        var shown = patterns.Take(MostHeads).Select(Blocks).ToList();
        var cells = shown.Sum(grid => (long)grid.Weights.Length);
        if (cells <= MostDense) return shown;
        var rows = Math.Max(1, shown.Sum(grid => (long)grid.Rows));
        var keys = (int)Math.Max(1, MostSparse / rows);
        return [.. shown.Select(grid => grid.Strongest(keys))];
    }

    private static AttentionGrid Blocks(AttentionPattern pattern)
    {
        var queries = pattern.Weights.GetLength(0);
        var keys = pattern.Weights.GetLength(1);
        var block = Math.Max(1, (Math.Max(queries, keys) + Longest - 1) / Longest);
        var rows = (queries + block - 1) / block;
        var columns = (keys + block - 1) / block;
        var weights = new float[rows * columns];
        if (block == 1) Buffer.BlockCopy(pattern.Weights, 0, weights, 0, weights.Length * sizeof(float));
        else
            for (var query = 0; query < queries; query++)
                for (var key = 0; key < keys; key++)
                {
                    ref var cell = ref weights[(query / block * columns) + (key / block)];
                    var weight = pattern.Weights[query, key];
                    // a NaN in the block is kept, since no comparison with it is true
                    if (weight > cell || float.IsNaN(weight)) cell = weight;
                }
        return new AttentionGrid(pattern, rows, columns, block, columns, weights, 0);
    }

    /// <summary>Keeps the strongest keys of each row.</summary>
    private AttentionGrid Strongest(int keys)
    {
        if (keys >= Columns) return this;
        var kept = new float[Weights.Length];
        var order = new float[Columns];
        var (all, left) = (0.0, 0.0);
        for (var row = 0; row < Rows; row++)
        {
            var weights = Weights.AsSpan(row * Columns, Columns);
            weights.CopyTo(order);
            Array.Sort(order);
            var least = order[Columns - keys];
            var room = keys;
            for (var key = 0; key < Columns; key++)
            {
                var weight = weights[key];
                if (float.IsNaN(weight)) kept[(row * Columns) + key] = weight;
                else
                {
                    all += weight;
                    if (weight > 0 && weight >= least && room-- > 0) kept[(row * Columns) + key] = weight;
                    else left += weight;
                }
            }
        }
        return this with { Keys = keys, Weights = kept, LeftOut = all > 0 ? left / all : 0 };
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
