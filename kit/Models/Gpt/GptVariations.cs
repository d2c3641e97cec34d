using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Changes of GPT-2 that later models and fast training runs have; by default none.</summary>
/// <remarks>
/// The first four are options of the fast runs of nanoGPT, https://github.com/KellerJordan/modded-nanogpt. The other three are
/// multipliers of a parametrization that transfers settings between sizes.
/// </remarks>
public sealed record GptVariations
{
    /// <summary>
    /// Whether queries and keys are divided by their root mean square, head by head (QK norm; Henry et al., 2020,
    /// https://arxiv.org/abs/2010.04245).
    /// </summary>
    public bool NormalizesQueriesAndKeys { get; init; }

    /// <summary>
    /// Whether each layer mixes the values of the first layer into its own, with a learned share that starts at one half (Zhou et
    /// al., 2024, https://arxiv.org/abs/2410.17897).
    /// </summary>
    public bool MixesFirstValues { get; init; }

    /// <summary>
    /// Largest magnitude c of a logit: c tanh(logit / c); null for none (Gemma 2, 2024, https://arxiv.org/abs/2408.00118).
    /// </summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>Whether the output layers of both branches start at zero, so that each layer starts as the identity.</summary>
    public bool ZeroInitializedProjections { get; init; }

    /// <summary>Factor on the logits; 1/m in μP for a model m times as wide as the base.</summary>
    public double LogitScale { get; init; } = 1;

    /// <summary>Factor on what each branch adds to the residual stream.</summary>
    public double ResidualScale { get; init; } = 1;

    /// <summary>Factor on attention scores; null for the usual 1 / √d_head.</summary>
    public double? ScoreScale { get; init; }

    internal void Check()
    {
        if (LogitSoftCap is { } cap) Require.Positive(cap, nameof(LogitSoftCap));
        Require.Positive(LogitScale);
        Require.Positive(ResidualScale);
        if (ScoreScale is { } scale) Require.Positive(scale, nameof(ScoreScale));
    }
}
