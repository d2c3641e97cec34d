using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Makes one tensor of token sequences of different lengths.</summary>
internal static class PaddedTokens
{
    /// <summary>Pads on the left, for texts that go on.</summary>
    /// <returns>Tokens int64 [batch, longest], 0 as padding, and their mask; null if all have the same length.</returns>
    public static (Tensor Tokens, Tensor? Mask) Left(IReadOnlyList<IReadOnlyList<long>> rows) => Of(rows, left: true);

    /// <summary>Pads on the right, for texts that are read.</summary>
    /// <inheritdoc cref="Left"/>
    public static (Tensor Tokens, Tensor? Mask) Right(IReadOnlyList<IReadOnlyList<long>> rows) => Of(rows, left: false);

    private static (Tensor Tokens, Tensor? Mask) Of(IReadOnlyList<IReadOnlyList<long>> rows, bool left)
    {
        var longest = rows.Max(row => row.Count);
        var tokens = new long[rows.Count, longest];
        var mask = new long[rows.Count, longest];
        for (var row = 0; row < rows.Count; row++)
        {
            var start = left ? longest - rows[row].Count : 0;
            for (var at = 0; at < rows[row].Count; at++)
            {
                tokens[row, start + at] = rows[row][at];
                mask[row, start + at] = 1;
            }
        }
        return (tensor(tokens), rows.All(row => row.Count == longest) ? null : tensor(mask));
    }
}
