using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Adafactor"/>; the defaults are the reference's.</summary>
public sealed record AdafactorOptions : OptimizerSettings
{
    /// <summary>The reference's defaults, with which the optimizer finds its learning rate itself.</summary>
    public AdafactorOptions() => LearningRate = 1;

    /// <summary>
    /// Whether the learning rate is computed from the step: 1/√step, at most 0.01. Then
    /// <see cref="OptimizerSettings.LearningRate"/> must be 1 here, and the rate that is set on the optimizer is a
    /// factor. Otherwise the learning rate is used as it is.
    /// </summary>
    public bool RelativeStep { get; init; } = true;

    /// <summary>
    /// Whether the upper limit of the relative step is a millionth of the step number instead of 0.01, as a
    /// warm-up.
    /// </summary>
    public bool WarmupRelativeStep { get; init; }

    /// <summary>Whether the learning rate is multiplied by the root mean square of the parameter.</summary>
    public bool ScaleParameter { get; init; } = true;

    /// <summary>Added to squared gradients.</summary>
    public double GradientEpsilon { get; init; } = 1e-30;

    /// <summary>
    /// Lower limit of the root mean square of a parameter, where the learning rate is multiplied by it.
    /// </summary>
    public double ParameterEpsilon { get; init; } = 1e-3;

    /// <summary>Largest root mean square of an update, before the learning rate.</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>
    /// Exponent of the decay rate of the mean squares: a step keeps the share 1 - step^DecayRate.
    /// </summary>
    public double DecayRate { get; init; } = -0.8;

    /// <summary>Decay rate of the mean update: the share that a step keeps; null to keep no mean.</summary>
    public double? Beta1 { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new Adafactor(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.NotNegative(GradientEpsilon);
        Require.NotNegative(ParameterEpsilon);
        Require.Positive(ClipThreshold);
        Require.That(DecayRate <= 0, DecayRate, nameof(DecayRate), "at most 0");
        if (Beta1 is { } beta1) Require.Fraction(beta1, nameof(Beta1));
        Require.That(!RelativeStep || LearningRate == 1, LearningRate, nameof(LearningRate),
            "1 with RelativeStep, or RelativeStep false");
        Require.That(!WarmupRelativeStep || RelativeStep, WarmupRelativeStep, nameof(WarmupRelativeStep),
            "false without RelativeStep");
    }
}

/// <summary>
/// Adafactor: Adam that stores only the row and column means of the squared gradients of a matrix.
/// </summary>
/// <remarks>
/// Shazeer and Stern, 2018, https://arxiv.org/abs/1804.04235, with the arithmetic of transformers. A tensor
/// with more than two axes is a batch of matrices on its last two axes. The state is float32 if a parameter has
/// a narrower dtype. It consists of <c>step</c>, <c>exp_avg_sq_row</c> and <c>exp_avg_sq_col</c>, for vectors
/// <c>exp_avg_sq</c>, and with β1 <c>exp_avg</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class Adafactor(IEnumerable<(string Name, Parameter Parameter)> parameters, AdafactorOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), parameter => Memory(parameter, options?.Beta1 is not null))
{
    private static readonly TorchScript Script = new("Adafactor.py");

    private readonly AdafactorOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving)
    {
        var most = options.WarmupRelativeStep ? 1e-6 * moving.Step : 1e-2;
        var rate = options.RelativeStep ? moving.LearningRate * Math.Min(most, 1 / Math.Sqrt(moving.Step)) : moving.LearningRate;
        Script.Call("adafactor", moving.Parameters, moving.Gradients, States(moving, "exp_avg_sq_row"),
            States(moving, "exp_avg_sq_col"),
            States(moving, "exp_avg_sq"), States(moving, "exp_avg"), rate, options.Beta1 ?? 0.0,
            1 - Math.Pow(moving.Step, options.DecayRate),
            moving.WeightDecay, options.GradientEpsilon, options.ParameterEpsilon, options.ClipThreshold, options.ScaleParameter);
    }

    private static Tensor[] States(ParameterBatch moving, string name) => moving.Has(name) ? moving.State(name) : [];

    private static IEnumerable<(string Name, Tensor Value)> Memory(Parameter parameter, bool remembersUpdate)
    {
        var shape = parameter.shape;
        var dtype = parameter.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? float32 : parameter.dtype;
        var device = parameter.device;
        if (shape.Length >= 2)
        {
            yield return ("exp_avg_sq_row", zeros(shape[..^1], dtype, device));
            yield return ("exp_avg_sq_col", zeros([.. shape[..^2], shape[^1]], dtype, device));
        }
        else
        {
            yield return ("exp_avg_sq", zeros(shape, dtype, device));
        }
        if (remembersUpdate) yield return ("exp_avg", zeros(shape, dtype, device));
    }
}
