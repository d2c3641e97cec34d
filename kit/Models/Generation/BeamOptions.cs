using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Options of a beam search.</summary>
public sealed record BeamOptions
{
    /// <summary>Number of hypotheses kept at each step; 1 is greedy decoding.</summary>
    public int Beams { get; init; } = 4;

    /// <summary>Maximum number of new tokens.</summary>
    public int MaximumTokens { get; init; } = 50;

    /// <summary>
    /// Exponent of the length penalty: the score of a text is its log-probability divided by its number of new
    /// tokens to this power. 0 ranks by total log-probability, 1 by mean log-probability per token; larger values
    /// favour longer texts. Wu et al., 2016, §7, https://arxiv.org/abs/1609.08144.
    /// </summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>
    /// Token that ends a text and is part of it; null for none, then all texts have the maximum length.
    /// </summary>
    public long? StopToken { get; init; }

    internal BeamOptions Validated()
    {
        Require.Sizes((Beams, nameof(Beams)), (MaximumTokens, nameof(MaximumTokens)));
        return double.IsFinite(LengthPenalty) ? this : throw new ArgumentException($"LengthPenalty is {LengthPenalty}; "
            + "it must be finite.");
    }

    internal double Score(double logProbability, int length) => logProbability / Math.Pow(length, LengthPenalty);

    /// <summary>
    /// Returns an upper bound for the score of an unfinished text, whose log-probability can only decrease.
    /// </summary>
    internal double BestScore(double logProbability, int length) =>
        Math.Max(Score(logProbability, length), Score(logProbability, MaximumTokens));
}

/// <summary>A text that a beam search found.</summary>
/// <param name="Tokens">The new tokens.</param>
/// <param name="LogProbability">Log-probability of the new tokens given the prompt, in nats.</param>
/// <param name="Score">Score by which texts are ranked; see <see cref="BeamOptions.LengthPenalty"/>.</param>
public sealed record BeamText(IReadOnlyList<long> Tokens, double LogProbability, double Score);
