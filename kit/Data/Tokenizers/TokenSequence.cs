namespace ResearchKit.Data;

/// <summary>Token ids, token types and attention mask of one example.</summary>
/// <param name="Ids">Token ids, [time].</param>
/// <param name="Types">0 for tokens of the first text, 1 for those of the second, [time].</param>
/// <param name="Mask">1 for a token, 0 for padding, [time].</param>
public sealed record TokenSequence(long[] Ids, long[] Types, long[] Mask)
{
    /// <summary>Returns the sequence padded at the end to a length; unchanged if it is not shorter.</summary>
    public TokenSequence PaddedTo(int length, long padding) =>
        new(Filled(Ids, length, padding), Filled(Types, length, 0), Filled(Mask, length, 0));

    /// <inheritdoc/>
    public override string ToString() => $"{Mask.Sum()} tokens{(Mask.Length > Mask.Sum() ? $", padded to {Mask.Length}" : "")}";

    private static long[] Filled(long[] values, int length, long with) =>
        [.. values, .. Enumerable.Repeat(with, Math.Max(0, length - values.Length))];
}
