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

    /// <summary>Number of new tokens before a stop token may be chosen; 0 for none.</summary>
    public int MinimumTokens { get; init; }

    /// <summary>
    /// Tokens that end a text and are part of it; empty for none, then all texts have the maximum length.
    /// </summary>
    public IReadOnlyList<long> StopTokens { get; init; } = [];

    /// <summary>The only one of <see cref="StopTokens"/>; null if there are none or several.</summary>
    public long? StopToken
    {
        get => StopTokens is [var only] ? only : null;
        init => StopTokens = value is { } token ? [token] : [];
    }

    /// <summary>
    /// Factor of the log-probability of tokens that occur in the prompt or the new text, as in transformers; 1 for none.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// Subtracted once from the log-probability of each token that occurs in the new text; at least 0, and 0 for none.
    /// </summary>
    public double PresencePenalty { get; init; }

    /// <summary>
    /// Subtracted from the log-probability of each token of the new text, once for each time it occurs there; at least 0.
    /// </summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>
    /// Length of the token sequences that may occur only once in prompt and new text together; null for no such rule.
    /// </summary>
    public int? NoRepeatNgram { get; init; }

    internal BeamOptions Validated()
    {
        Require.Sizes((Beams, nameof(Beams)), (MaximumTokens, nameof(MaximumTokens)));
        _ = Rules.Validated();
        (double, string)[] penalties =
            [(FrequencyPenalty, nameof(FrequencyPenalty)), (PresencePenalty, nameof(PresencePenalty))];
        foreach (var (penalty, name) in penalties)
            if (penalty < 0) throw new ArgumentException($"{name} is {penalty}; a beam search needs at least 0.");
        return double.IsFinite(LengthPenalty) ? this : throw new ArgumentException($"LengthPenalty is {LengthPenalty}; "
            + "it must be finite.");
    }

    /// <summary>The rules that change the log-probabilities of the next token.</summary>
    internal SamplingOptions Rules => new()
    {
        MinimumTokens = MinimumTokens,
        StopTokens = StopTokens,
        RepetitionPenalty = RepetitionPenalty,
        PresencePenalty = PresencePenalty,
        FrequencyPenalty = FrequencyPenalty,
        NoRepeatNgram = NoRepeatNgram,
    };

    internal double Score(double logProbability, int length) => logProbability / Math.Pow(length, LengthPenalty);

    /// <summary>
    /// Returns an upper bound for the score of an unfinished text, whose log-probability can only decrease.
    /// </summary>
    internal double BestScore(double logProbability, int length) =>
        Math.Max(Score(logProbability, length), Score(logProbability, MaximumTokens));
}

/// <summary>A text that a beam search found.</summary>
/// <param name="Tokens">The new tokens.</param>
/// <param name="LogProbability">Log-probability of the new tokens given the prompt, after the penalties, in nats.</param>
/// <param name="Score">Score by which texts are ranked; see <see cref="BeamOptions.LengthPenalty"/>.</param>
public sealed record BeamText(IReadOnlyList<long> Tokens, double LogProbability, double Score);
