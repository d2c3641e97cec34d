using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Pairs of source and target sequences, for sequence-to-sequence models; a batch is padded to its longest
/// sequence.
/// </summary>
public sealed class TokenPairs : IExamples
{
    /// <summary>Target value that losses ignore (ignore_index).</summary>
    public const long Ignored = NoTarget.Value;

    private readonly (long[] Source, long[] Target)[] pairs;
    private readonly long padding;

    /// <param name="pairs">Tokens of source and target, including end tokens if the model is to learn them.</param>
    /// <param name="padding">Padding token of sources; targets are padded with <see cref="Ignored"/>.</param>
    /// <exception cref="ArgumentException">A source or target has no tokens; the message says which.</exception>
    public TokenPairs(IEnumerable<(long[] Source, long[] Target)> pairs, long padding)
    {
        this.pairs = [.. pairs];
        this.padding = padding;
        var empty = Array.FindIndex(this.pairs, pair => pair.Source.Length == 0 || pair.Target.Length == 0);
        if (empty >= 0)
            throw new ArgumentException($"Pair {empty} has {this.pairs[empty].Source.Length} and "
                + $"{this.pairs[empty].Target.Length} tokens; expected at least one in source and target.", nameof(pairs));
    }

    /// <inheritdoc/>
    public long Count => pairs.Length;

    /// <returns>Inputs int64 [batch, time], targets int64 [batch, target time] and the inputs' mask [batch, time].</returns>
    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        var sources = numbers.Select(number => pairs[number].Source).ToList();
        var targets = numbers.Select(number => pairs[number].Target).ToList();
        return new Batch(PaddedRows.Of(sources, padding), PaddedRows.Of(targets, Ignored), PaddedRows.Mask(sources));
    }
}

/// <summary>Sequences with a class label each; a batch is padded to its longest sequence.</summary>
public sealed class LabelledTokens : IExamples
{
    private readonly (long[] Tokens, long Label)[] examples;
    private readonly long padding;

    /// <param name="examples">Token ids and class label of each example.</param>
    /// <param name="padding">Padding token.</param>
    /// <exception cref="ArgumentException">A sequence has no tokens; the message says which.</exception>
    public LabelledTokens(IEnumerable<(long[] Tokens, long Label)> examples, long padding)
    {
        this.examples = [.. examples];
        this.padding = padding;
        var empty = Array.FindIndex(this.examples, example => example.Tokens.Length == 0);
        if (empty >= 0)
            throw new ArgumentException($"Example {empty} has no tokens; expected at least one.", nameof(examples));
    }

    /// <inheritdoc/>
    public long Count => examples.Length;

    /// <returns>Inputs int64 [batch, time], targets int64 [batch] and the inputs' mask [batch, time].</returns>
    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        var sequences = numbers.Select(number => examples[number].Tokens).ToList();
        return new Batch(PaddedRows.Of(sequences, padding), tensor(numbers.Select(number => examples[number].Label).ToArray()),
            PaddedRows.Mask(sequences));
    }
}

/// <summary>Pads rows of different lengths into one tensor.</summary>
internal static class PaddedRows
{
    public static Tensor Of(IReadOnlyList<long[]> rows, long padding)
    {
        var length = rows.Select(row => row.Length).DefaultIfEmpty().Max();
        var values = new long[rows.Count * length];
        Array.Fill(values, padding);
        for (var row = 0; row < rows.Count; row++) rows[row].CopyTo(values, row * length);
        return tensor(values, [rows.Count, length]);
    }

    public static Tensor Mask(IReadOnlyList<long[]> rows) =>
        Of([.. rows.Select(row => Enumerable.Repeat(1L, row.Length).ToArray())], 0);
}
