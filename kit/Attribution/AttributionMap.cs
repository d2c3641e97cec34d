using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>How much each part of an input, or of an activation, contributed to a target.</summary>
/// <param name="Method">The method, such as "integrated gradients".</param>
/// <param name="Target">What is explained, such as "logit of 3".</param>
/// <param name="Unit">The unit of the numbers, which is that of the target; empty for none.</param>
/// <param name="Values">[batch, ...] of the shape of the input, or of the activation that was attributed to; the
/// caller's.</param>
/// <param name="Scores">The target of each example.</param>
/// <param name="Evidence">The law that the method obeys, how far the numbers are off, and what they cost.</param>
public sealed record AttributionMap(
    string Method, string Target, string Unit, Tensor Values, IReadOnlyList<double> Scores, Evidence Evidence)
{
    /// <summary>
    /// For methods with completeness: how much the sum of an example's attributions exceeds the score less that of the baseline.
    /// With several baselines an entry for each example and baseline, the baselines of the first example first. Else empty.
    /// </summary>
    public IReadOnlyList<double> Gaps { get; init; } = [];

    /// <summary>Sums the attributions of each example over all but the first axes.</summary>
    /// <param name="axes">How many axes stay, the batch included; 2 gives [batch, time] for [batch, time, channels].</param>
    /// <exception cref="ArgumentException">There are fewer axes.</exception>
    public Tensor Sum(int axes)
    {
        if (axes < 1 || axes > Values.dim())
            throw new ArgumentException($"Attributions {Values.ShapeText()} have no {axes} axes to keep.", nameof(axes));
        return axes == Values.dim() ? Values.alias() : Values.sum([.. Enumerable.Range(axes, (int)Values.dim() - axes)
            .Select(axis => (long)axis)]);
    }

    /// <summary>Returns the attributions of texts as scores of their tokens, summed over the channels.</summary>
    /// <param name="tokens">The tokens of each text; attributions of padding at the end are left out.</param>
    /// <exception cref="ArgumentException">The texts do not fit the attributions.</exception>
    public TokenScores ToTokenScores(IReadOnlyList<IReadOnlyList<string>> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (Values.dim() < 2 || tokens.Count != Values.shape[0])
            throw new ArgumentException($"Got {tokens.Count} texts for attributions {Values.ShapeText()}; "
                + "expected one for each example of [batch, time, ...].", nameof(tokens));
        using var scope = NewDisposeScope();
        var sums = Sum(2).to(float64).cpu();
        var texts = tokens.Select((text, row) => new ScoredText(text, Column(sums[row], text))).ToList();
        return new TokenScores($"{Method}: {Target}", Unit, [Method], texts) { Evidence = Evidence };
    }

    /// <summary>Adds up the scores of the tokens that belong to a word.</summary>
    /// <param name="text">Scores of sub-tokens.</param>
    /// <param name="wordOf">The number of each token's word, from 0 and never falling; -1 for a special token, which is left
    /// out.</param>
    /// <exception cref="ArgumentException">There is not one number for each token.</exception>
    public static ScoredText MergeWords(ScoredText text, IReadOnlyList<int> wordOf)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(wordOf);
        if (wordOf.Count != text.Tokens.Count)
            throw new ArgumentException($"Got {wordOf.Count} numbers of words for {text.Tokens.Count} tokens.", nameof(wordOf));
        var words = Enumerable.Range(0, wordOf.Count).Where(at => wordOf[at] >= 0).GroupBy(at => wordOf[at]).ToList();
        var scores = new double[words.Count, text.Scores.GetLength(1)];
        for (var word = 0; word < words.Count; word++)
            for (var name = 0; name < scores.GetLength(1); name++)
                scores[word, name] = words[word].Sum(at => text.Scores[at, name]);
        return new ScoredText([.. words.Select(word => string.Concat(word.Select(at => text.Tokens[at])))], scores);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} of {Target}: {Values.ShapeText()} ({Evidence})";

    private static double[,] Column(Tensor sums, IReadOnlyList<string> tokens)
    {
        var values = sums.data<double>().ToArray();
        if (tokens.Count > values.Length)
            throw new ArgumentException($"Got {tokens.Count} tokens for {values.Length} attributions.", nameof(tokens));
        var scores = new double[tokens.Count, 1];
        for (var at = 0; at < tokens.Count; at++) scores[at, 0] = values[at];
        return scores;
    }
}
