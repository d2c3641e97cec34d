namespace ResearchKit.Models;

/// <summary>Options for choosing the next token.</summary>
public sealed record SamplingOptions
{
    /// <summary>Greedy decoding: always the most probable token.</summary>
    public static SamplingOptions Greedy => new() { Temperature = 0 };

    /// <summary>Maximum number of tokens to generate.</summary>
    public int MaximumTokens { get; init; } = 200;

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

    /// <summary>Token that ends the text and is part of it; null for none.</summary>
    public long? StopToken { get; init; }

    /// <summary>Padding token of a row after its <see cref="StopToken"/>.</summary>
    public long PadToken { get; init; }

    /// <summary>Whether a batch keeps the logits from which its tokens were chosen.</summary>
    public bool KeepLogits { get; init; }

    /// <summary>Seed of the sampling.</summary>
    public long Seed { get; init; } = 1337;

    internal SamplingOptions Validated()
    {
        if (MaximumTokens < 0) throw new ArgumentException($"MaximumTokens is {MaximumTokens}; it must not be negative.");
        if (!(Temperature >= 0)) throw new ArgumentException($"Temperature is {Temperature}; it must not be negative.");
        if (TopK < 1) throw new ArgumentException($"TopK is {TopK}; it must be at least 1.");
        if (TopP is { } p && !(p is > 0 and <= 1))
            throw new ArgumentException($"TopP is {p}; it must be greater than 0 and at most 1.");
        return this;
    }
}
