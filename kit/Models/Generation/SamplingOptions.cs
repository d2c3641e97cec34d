namespace ResearchKit.Models;

/// <summary>Options for choosing the next token.</summary>
/// <remarks>
/// They act in the order of transformers: repetition penalty, frequency and presence penalty, repeated n-grams, minimum
/// length, allowed tokens; then, unless the most probable token is taken: temperature, top-k, top-p, min-p, typical-p.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Greedy decoding: always the most probable token.</summary>
    public static SamplingOptions Greedy => new() { Temperature = 0 };

    /// <summary>Maximum number of tokens to generate.</summary>
    public int MaximumTokens { get; init; } = 200;

    /// <summary>Number of new tokens before a stop token may be chosen; 0 for none.</summary>
    public int MinimumTokens { get; init; }

    /// <summary>
    /// Temperature that divides the logits: below 1 sharpens the distribution, above 1 flattens it, 0 chooses the
    /// most probable token.
    /// </summary>
    public double Temperature { get; init; } = 1;

    /// <summary>
    /// Samples only from the k most probable tokens; null for all. Fan et al., 2018,
    /// https://arxiv.org/abs/1805.04833.
    /// </summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Samples only from the most probable tokens that together reach this probability; null for all.
    /// Holtzman et al., 2020 (nucleus sampling), https://arxiv.org/abs/1904.09751.
    /// </summary>
    public double? TopP { get; init; }

    /// <summary>
    /// Samples only from tokens at least this times as probable as the most probable one, 0 to 1; 0 or null for all.
    /// Nguyen et al., 2024, https://arxiv.org/abs/2407.01082.
    /// </summary>
    public double? MinP { get; init; }

    /// <summary>
    /// Samples only from the tokens whose surprise is nearest to the entropy of the distribution, until they reach this
    /// probability; null for all. Meister et al., 2023 (locally typical sampling), https://arxiv.org/abs/2202.00666.
    /// </summary>
    public double? TypicalP { get; init; }

    /// <summary>
    /// Penalty for tokens of the prompt and of the new text: positive logits are divided by it, negative ones multiplied;
    /// 1 for none. Keskar et al., 2019 (CTRL), https://arxiv.org/abs/1909.05858, as transformers applies it.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// Subtracted from the logit of each token of the new text, once for each time it occurs there; 0 for none. The
    /// prompt does not count. OpenAI's frequency_penalty.
    /// </summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>
    /// Subtracted once from the logit of each token that occurs in the new text; 0 for none. The prompt does not count.
    /// OpenAI's presence_penalty.
    /// </summary>
    public double PresencePenalty { get; init; }

    /// <summary>
    /// Length of the token sequences that may occur only once in prompt and new text together; null for no such rule.
    /// </summary>
    public int? NoRepeatNgram { get; init; }

    /// <summary>
    /// The only tokens that may follow the given new tokens; null allows all tokens, and an empty collection ends the text.
    /// A <see cref="TokenTrie"/> restricts the text to a list of choices.
    /// </summary>
    public Func<IReadOnlyList<long>, IReadOnlyCollection<long>?>? AllowedTokens { get; init; }

    /// <summary>Tokens that end the text; the one that ends it is part of the tokens. Empty for none.</summary>
    public IReadOnlyList<long> StopTokens { get; init; } = [];

    /// <summary>The only one of <see cref="StopTokens"/>; null if there are none or several.</summary>
    public long? StopToken
    {
        get => StopTokens is [var only] ? only : null;
        init => StopTokens = value is { } token ? [token] : [];
    }

    /// <summary>
    /// Strings that end the text and are not part of it, wherever the borders of the tokens are. Only what knows the
    /// tokenizer can look for them: <see cref="TextStreamer"/> and the pipelines of ResearchKit.Tasks.
    /// </summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Padding token of a row after its stop token.</summary>
    public long PadToken { get; init; }

    /// <summary>
    /// Whether keys and values of earlier tokens are kept as 8-bit codes: a quarter of the memory, slower, nearly the same text.
    /// </summary>
    public bool HasInt8Cache { get; init; }

    /// <summary>Whether a batch keeps the logits from which its tokens were chosen.</summary>
    public bool KeepLogits { get; init; }

    /// <summary>Seed of the sampling.</summary>
    public long Seed { get; init; } = 1337;

    internal SamplingOptions Validated()
    {
        AtLeast(MaximumTokens, 0, nameof(MaximumTokens));
        AtLeast(MinimumTokens, 0, nameof(MinimumTokens));
        AtLeast(TopK, 1, nameof(TopK));
        AtLeast(NoRepeatNgram, 1, nameof(NoRepeatNgram));
        if (!(Temperature >= 0)) throw new ArgumentException($"Temperature is {Temperature}; it must not be negative.");
        if (!(RepetitionPenalty > 0) || !double.IsFinite(RepetitionPenalty))
            throw new ArgumentException($"RepetitionPenalty is {RepetitionPenalty}; it must be positive, and 1 for none.");
        Share(TopP, nameof(TopP));
        Share(TypicalP, nameof(TypicalP));
        if (MinP is { } least && !(least is >= 0 and <= 1))
            throw new ArgumentException($"MinP is {least}; it must be at least 0 and at most 1.");
        (double, string)[] penalties =
            [(FrequencyPenalty, nameof(FrequencyPenalty)), (PresencePenalty, nameof(PresencePenalty))];
        foreach (var (penalty, name) in penalties)
            if (!double.IsFinite(penalty)) throw new ArgumentException($"{name} is {penalty}; it must be finite.");
        if (StopStrings.Contains("")) throw new ArgumentException(
            "StopStrings contains an empty string; it would end every text.");
        return this;
    }

    /// <summary>Refuses options that only a caller with a tokenizer can follow.</summary>
    internal SamplingOptions ForTokens() => StopStrings.Count == 0 ? this : throw new ArgumentException(
        $"StopStrings has {StopStrings.Count} strings, but tokens are generated here, not text; use TextGeneration, or give "
        + "the strings to a TextStreamer.");

    /// <summary>
    /// Whether no token may follow the new ones, which <see cref="AllowedTokens"/> says by an empty collection.
    /// </summary>
    internal bool IsComplete(TokenHistory history) => AllowedTokens?.Invoke(history.Written) is { Count: 0 };

    private static void AtLeast(int? value, int least, string name)
    {
        if (value < least)
            throw new ArgumentException($"{name} is {value}; expected at least {least}.");
    }

    private static void Share(double? value, string name)
    {
        if (value is { } p && !(p is > 0 and <= 1))
            throw new ArgumentException($"{name} is {p}; it must be greater than 0 and at most 1.");
    }
}
