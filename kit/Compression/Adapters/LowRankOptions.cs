using ResearchKit.Tensors;

namespace ResearchKit.Compression;

/// <summary>Where a new adapter starts.</summary>
public enum LowRankStart
{
    /// <summary>B is zero, so the model is as it was.</summary>
    Zero,

    /// <summary>
    /// A and B are the largest singular directions of the weight, which are taken out of it (PiSSA), so the model is as it was
    /// up to rounding.
    /// </summary>
    /// <remarks>Meng et al., 2024, https://arxiv.org/abs/2404.02948.</remarks>
    SingularValues,
}

/// <summary>Settings of low-rank adapters; names and defaults are those of peft.</summary>
public sealed record LowRankOptions
{
    /// <summary>Rank of an adapter.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The product is multiplied by alpha / rank.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability of dropping an input of an adapter in training.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// Multiplies by alpha / √rank instead, so that the size of a step does not shrink with the rank (rsLoRA).
    /// </summary>
    /// <remarks>Kalajdzievski, 2023, https://arxiv.org/abs/2312.03732.</remarks>
    public bool IsRankStabilized { get; init; }

    /// <summary>Learns the lengths of the rows apart from their directions (DoRA).</summary>
    public bool HasMagnitudes { get; init; }

    /// <summary>
    /// Codes that the frozen weights are rounded to, such as <see cref="QuantizationScheme.Nf4"/> (QLoRA); null leaves them as
    /// they are. The float32 weights are freed.
    /// </summary>
    /// <remarks>Dettmers et al., 2023, https://arxiv.org/abs/2305.14314.</remarks>
    public QuantizationScheme? Base { get; init; }

    /// <summary>Where the adapters start.</summary>
    public LowRankStart Start { get; init; }

    /// <summary>
    /// Which linear layers get an adapter, by name; null for all but heads (<c>head</c>, <c>classifier</c>, <c>decoder</c>,
    /// <c>pooler</c>).
    /// </summary>
    public Func<string, bool>? Targets { get; init; }

    /// <summary>Factor of the product.</summary>
    public double Scale => Alpha / (IsRankStabilized ? Math.Sqrt(Rank) : Rank);

    internal bool Wants(string name) => Targets?.Invoke(name) ?? !HeadNames.Has(name);

    internal void Check()
    {
        Require.AtLeast(1, Rank);
        Require.Positive(Alpha);
        Require.Fraction(Dropout);
        Base?.Check();
    }
}
