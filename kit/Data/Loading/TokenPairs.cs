using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Sequences and what they are to become, for sequence-to-sequence models; a batch is padded to its longest.</summary>
public sealed class TokenPairs : IExamples
{
    /// <summary>Target that losses leave out (ignore_index).</summary>
    public const long Ignored = -100;

    private readonly (long[] Source, long[] Target)[] pairs;
    private readonly long padding;

    /// <param name="pairs">Tokens of source and target, with their ends if the model is to learn those.</param>
    /// <param name="padding">Token that fills up sources; targets are filled up with <see cref="Ignored"/>.</param>
    /// <exception cref="ArgumentException">A source or target without tokens; says which.</exception>
    public TokenPairs(IEnumerable<(long[] Source, long[] Target)> pairs, long padding)
    {
        this.pairs = [.. pairs];
        this.padding = padding;
        var empty = Array.FindIndex(this.pairs, pair => pair.Source.Length == 0 || pair.Target.Length == 0);
        if (empty >= 0) throw new ArgumentException($"Pair {empty} has {this.pairs[empty].Source.Length} and "
            + $"{this.pairs[empty].Target.Length} tokens; expected at least one of each.", nameof(pairs));
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

/// <summary>Sequences and the class of each; a batch is padded to its longest.</summary>
public sealed class LabelledTokens : IExamples
{
    private readonly (long[] Tokens, long Label)[] examples;
    private readonly long padding;

    /// <param name="examples">Tokens and class.</param>
    /// <param name="padding">Token that fills up a sequence.</param>
    /// <exception cref="ArgumentException">A sequence without tokens; says which.</exception>
    public LabelledTokens(IEnumerable<(long[] Tokens, long Label)> examples, long padding)
    {
        this.examples = [.. examples];
        this.padding = padding;
        var empty = Array.FindIndex(this.examples, example => example.Tokens.Length == 0);
        if (empty >= 0) throw new ArgumentException($"Example {empty} has no tokens.", nameof(examples));
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

/// <summary>Rows of different lengths as one tensor.</summary>
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
