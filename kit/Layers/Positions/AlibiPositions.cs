using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// ALiBi: subtracts the distance of query and key, times a slope for each head, from the scores.
/// </summary>
/// <remarks>Press et al., 2022, https://arxiv.org/abs/2108.12409.</remarks>
public sealed class AlibiPositions(int heads) : PositionalEncoding(nameof(AlibiPositions))
{
    /// <summary>
    /// Computes the slopes of n heads: a geometric sequence that starts at 2^(-8/n) and has this ratio.
    /// </summary>
    /// <remarks>
    /// If n is not a power of two: the slopes of the next lower power, then every other slope of the next higher
    /// one.
    /// </remarks>
    public static IReadOnlyList<double> Slopes(int heads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        var power = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)heads);
        if (power == heads) return [.. Enumerable.Range(1, heads).Select(head => Math.Pow(2, -8.0 * head / heads))];
        return [.. Slopes(power / 2), .. Slopes(power).Where((_, head) => head % 2 == 0).Take(heads - (power / 2))];
    }

    /// <inheritdoc/>
    public override Tensor ScoreBias(Tensor example, long queries, long keys)
    {
        using var scope = NewDisposeScope();
        var query = arange(keys - queries, keys, 1, float32, example.device).unsqueeze(1);
        var key = arange(keys, dtype: float32, device: example.device);
        var slopes = tensor(Slopes(heads).Select(slope => (float)slope).ToArray(), device: example.device).view(heads, 1, 1);
        var ahead = key - query;
        return (slopes * minimum(ahead, ahead.neg())).to(example.dtype).MoveToOuterDisposeScope();   // [head, query, key]
    }
}
