using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>How a beam search goes.</summary>
public sealed record BeamOptions
{
    /// <summary>Number of texts that are followed at once; 1 is greedy.</summary>
    public int Beams { get; init; } = 4;

    /// <summary>Longest text, in new tokens.</summary>
    public int MaximumTokens { get; init; } = 50;

    /// <summary>
    /// The score of a text is its log-probability divided by this power of its length in new tokens: 0 for the probability of the
    /// whole, 1 for the mean of a token, more to favour long texts. Wu et al., 2016, §7, https://arxiv.org/abs/1609.08144.
    /// </summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>Token that ends a text, and belongs to it; null for none, then all are as long as they may be.</summary>
    public long? StopToken { get; init; }

    internal BeamOptions Validated()
    {
        Require.Sizes((Beams, nameof(Beams)), (MaximumTokens, nameof(MaximumTokens)));
        return double.IsFinite(LengthPenalty) ? this
            : throw new ArgumentException($"LengthPenalty is {LengthPenalty}; it must be a number.");
    }

    internal double Score(double logProbability, int length) => logProbability / Math.Pow(length, LengthPenalty);

    /// <summary>The best that an unfinished text can come to, since its log-probability can only fall.</summary>
    internal double BestScore(double logProbability, int length) =>
        Math.Max(Score(logProbability, length), Score(logProbability, MaximumTokens));
}

/// <summary>A text that a beam search found.</summary>
/// <param name="Tokens">The new tokens.</param>
/// <param name="LogProbability">Of all of them after the prompt, in nats.</param>
/// <param name="Score">What the search ranks by; see <see cref="BeamOptions.LengthPenalty"/>.</param>
public sealed record BeamText(IReadOnlyList<long> Tokens, double LogProbability, double Score);
