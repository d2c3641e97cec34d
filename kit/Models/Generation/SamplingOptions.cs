namespace ResearchKit.Models;

/// <summary>How the next token is chosen from its distribution.</summary>
public sealed record SamplingOptions
{
    /// <summary>Always the likeliest token.</summary>
    public static SamplingOptions Greedy => new() { Temperature = 0 };

    /// <summary>Number of tokens to write.</summary>
    public int MaximumTokens { get; init; } = 200;

    /// <summary>Divides the logits: below 1 surer, above 1 more varied, 0 for the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the k likeliest tokens; null for all. Fan et al., 2018, https://arxiv.org/abs/1805.04833.</summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Only the likeliest tokens that together reach this probability; null for all.
    /// Holtzman et al., 2020 (nucleus sampling), https://arxiv.org/abs/1904.09751.
    /// </summary>
    public double? TopP { get; init; }

    /// <summary>Token that ends the text, and is itself written; null for none.</summary>
    public long? StopToken { get; init; }

    /// <summary>Token that fills a row of a batch after its <see cref="StopToken"/>.</summary>
    public long PadToken { get; init; }

    /// <summary>Whether a batch keeps the logits that its tokens were chosen from.</summary>
    public bool KeepLogits { get; init; }

    /// <summary>Seed of the choices.</summary>
    public long Seed { get; init; } = 1337;

    internal SamplingOptions Validated()
    {
        if (MaximumTokens < 0) throw new ArgumentException($"MaximumTokens is {MaximumTokens}; it must not be negative.");
        if (!(Temperature >= 0)) throw new ArgumentException($"Temperature is {Temperature}; it must not be negative.");
        if (TopK < 1) throw new ArgumentException($"TopK is {TopK}; it must be at least 1.");
        if (TopP is { } p && !(p is > 0 and <= 1)) throw new ArgumentException($"TopP is {p}; it must be above 0 and at most 1.");
        return this;
    }
}
