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

    /// <summary>Kind of bias correction of the moments.</summary>
    public LambBiasCorrection BiasCorrection { get; init; } = LambBiasCorrection.Moments;

    /// <summary>
    /// Largest norm of the gradients of all parameters together; larger ones are clipped. Null for no clipping.
    /// </summary>
    public double? MaximumGradientNorm { get; init; } = 1;

    /// <summary>Largest norm of a weight in the trust ratio; null for no limit.</summary>
    public double? MaximumWeightNorm { get; init; }

    /// <summary>
    /// Whether the gradient is multiplied by 1 - β1 when it is added to the mean; otherwise it is added as it is.
    /// </summary>
    public bool AverageGradient { get; init; } = true;

    /// <summary>Whether the trust ratio is at most 1 (LAMBC, Fong et al., 2020, https://arxiv.org/abs/2011.13584).</summary>
    public bool ClipTrust { get; init; }

    /// <summary>Whether parameters without weight decay have a trust ratio too.</summary>
    public bool AlwaysAdapt { get; init; }

    /// <summary>
    /// Whether only those elements of an update are applied that have the sign of the gradient (Liang et al., 2024,
    /// https://arxiv.org/abs/2411.16085).
    /// </summary>
    public bool Cautious { get; init; }

    /// <summary>Whether weight decay is decoupled from the update, as in AdamW.</summary>
    public bool DecoupledDecay { get; init; }

    /// <summary>
    /// Whether decoupled decay is proportional to the square of the learning rate, divided by its largest value
    /// <see cref="OptimizerSettings.LearningRate"/> (Defazio, 2025, https://arxiv.org/abs/2506.02285).
    /// </summary>
    public bool CorrectedDecay { get; init; }

    /// <summary>
    /// Settings of the paper's third version: no bias correction, no gradient clipping, weight norms up to 10, a
    /// trust ratio for every parameter, no decay.
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

/// <summary>
/// LAMB: Adam with each tensor's update scaled to the norm of the tensor times the learning rate; for large
/// batches.
/// </summary>
/// <remarks>You et al., 2020, https://arxiv.org/abs/1904.00962. State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c>.</remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
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

/// <summary>Kinds of bias correction in LAMB, for moments that start at zero.</summary>
public enum LambBiasCorrection
{
    /// <summary>No correction, as in the third version of the paper.</summary>
    None,

    /// <summary>Both moments are divided by their corrections before the denominator is computed.</summary>
    Moments,

    /// <summary>The learning rate is multiplied by the ratio of the two corrections.</summary>
    LearningRate,
}
