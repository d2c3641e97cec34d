using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Lamb"/>; the defaults are timm's, and <see cref="Paper"/> has those of the paper's third version.</summary>
public sealed record LambOptions : AdamOptions
{
    /// <summary>timm's defaults: a decay of 0.01, an epsilon of 0.000001.</summary>
    public LambOptions() => (WeightDecay, Epsilon) = (0.01, 1e-6);

    /// <summary>How moments that began as zeros are corrected.</summary>
    public LambBiasCorrection BiasCorrection { get; init; } = LambBiasCorrection.Moments;

    /// <summary>Longest gradient over all parameters; a longer one is shortened. Null for any length.</summary>
    public double? MaximumGradientNorm { get; init; } = 1;

    /// <summary>Largest norm of a weight that the trust ratio sees; null for any.</summary>
    public double? MaximumWeightNorm { get; init; }

    /// <summary>Whether the gradient enters the mean as a share, 1 - β1, or whole.</summary>
    public bool AverageGradient { get; init; } = true;

    /// <summary>Whether the trust ratio is at most 1 (LAMBC, Fong et al., 2020, https://arxiv.org/abs/2011.13584).</summary>
    public bool ClipTrust { get; init; }

    /// <summary>Whether parameters that do not decay have a trust ratio too.</summary>
    public bool AlwaysAdapt { get; init; }

    /// <summary>Whether only what agrees in sign with the gradient is moved (Liang et al., 2024, https://arxiv.org/abs/2411.16085).</summary>
    public bool Cautious { get; init; }

    /// <summary>Whether decay is apart from the update, as in AdamW.</summary>
    public bool DecoupledDecay { get; init; }

    /// <summary>Whether decoupled decay goes with the square of the learning rate over its largest, <see cref="OptimizerSettings.LearningRate"/> (Defazio, 2025, https://arxiv.org/abs/2506.02285).</summary>
    public bool CorrectedDecay { get; init; }

    /// <summary>The third version of the paper: no bias correction, no gradient clip, weight norms up to 10, every parameter adapted, no decay.</summary>
    public static LambOptions Paper => new()
    {
        WeightDecay = 0,
        BiasCorrection = LambBiasCorrection.None,
        MaximumGradientNorm = null,
        MaximumWeightNorm = 10,
        AlwaysAdapt = true,
    };

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Lamb(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        if (MaximumGradientNorm is { } gradient) Setting.Positive(gradient, nameof(MaximumGradientNorm));
        if (MaximumWeightNorm is { } weight) Setting.Positive(weight, nameof(MaximumWeightNorm));
        if (CorrectedDecay) Setting.Positive(LearningRate);
    }
}
