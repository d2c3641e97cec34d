using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Settings of <see cref="Lamb"/>; the defaults are timm's, and <see cref="Paper"/> has those of the paper's third version.
/// </summary>
public sealed record LambOptions : AdamOptions
{
    /// <summary>timm's defaults: a decay of 0.01, an epsilon of 0.000001.</summary>
    public LambOptions()
    {
        WeightDecay = 0.01;
        Epsilon = 1e-6;
    }

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

    /// <summary>
    /// Whether only what agrees in sign with the gradient is moved (Liang et al., 2024, https://arxiv.org/abs/2411.16085).
    /// </summary>
    public bool Cautious { get; init; }

    /// <summary>Whether decay is apart from the update, as in AdamW.</summary>
    public bool DecoupledDecay { get; init; }

    /// <summary>
    /// Whether decoupled decay goes with the square of the learning rate over its largest,
    /// <see cref="OptimizerSettings.LearningRate"/> (Defazio, 2025, https://arxiv.org/abs/2506.02285).
    /// </summary>
    public bool CorrectedDecay { get; init; }

    /// <summary>
    /// The third version of the paper: no bias correction, no gradient clip, weight norms up to 10, every parameter adapted, no
    /// decay.
    /// </summary>
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
        if (MaximumGradientNorm is { } gradient) Require.Positive(gradient, nameof(MaximumGradientNorm));
        if (MaximumWeightNorm is { } weight) Require.Positive(weight, nameof(MaximumWeightNorm));
        if (CorrectedDecay) Require.Positive(LearningRate);
    }
}

/// <summary>Adam whose update of each tensor is as long as the tensor, times the learning rate; for large batches.</summary>
/// <remarks>You et al., 2020, https://arxiv.org/abs/1904.00962. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c>.</remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class Lamb(IEnumerable<(string Name, Parameter Parameter)> parameters, LambOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg", "exp_avg_sq")
{
    private static readonly TorchScript Script = new("Lamb.py");

    private readonly LambOptions options = options ?? new();
    private Tensor[] clip = [];

    /// <inheritdoc/>
    protected override void Move(IReadOnlyList<ParameterBatch> all)
    {
        clip = options.MaximumGradientNorm is { } longest ? [(GradientNorm.Of(all) / longest).clamp_min(1)] : [];
        base.Move(all);
        clip = [];
    }

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving)
    {
        var correction1 = 1 - Math.Pow(options.Beta1, moving.Step);
        var correction2 = 1 - Math.Pow(options.Beta2, moving.Step);
        var rate = moving.LearningRate;
        var decay = moving.WeightDecay;
        var decayRate = options.CorrectedDecay ? rate * rate / options.LearningRate : rate;
        if (options.BiasCorrection == LambBiasCorrection.LearningRate) rate *= Math.Sqrt(correction2) / correction1;
        if (options.BiasCorrection != LambBiasCorrection.Moments)
        {
            correction1 = 1;
            correction2 = 1;
        }
        Script.Call("lamb", moving.Parameters, moving.Gradients, moving.State("exp_avg"), moving.State("exp_avg_sq"),
            GradientNorm.Beside(moving, clip),
            rate, options.Beta1, options.Beta2, options.Epsilon, correction1, correction2, options.AverageGradient
                ? 1 - options.Beta1 : 1.0,
            options.DecoupledDecay ? 0.0 : decay, options.DecoupledDecay ? decayRate * decay
                : 0.0, decay != 0 || options.AlwaysAdapt,
            options.MaximumWeightNorm ?? double.PositiveInfinity,
                options.ClipTrust ? 1 : double.PositiveInfinity, options.Cautious);
    }
}

/// <summary>How LAMB makes up for moments that began as zeros.</summary>
public enum LambBiasCorrection
{
    /// <summary>Not at all: the third version of the paper.</summary>
    None,

    /// <summary>Both moments are divided before the denominator is made.</summary>
    Moments,

    /// <summary>The learning rate is multiplied by the ratio of both corrections.</summary>
    LearningRate,
}
