using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Prodigy"/>; the defaults are the reference's.</summary>
public sealed record ProdigyOptions : AdamOptions
{
    /// <summary>The reference's default: a rate of 1, which a schedule may lower.</summary>
    public ProdigyOptions() => LearningRate = 1;

    /// <summary>
    /// Decay rate of the sums from which the distance is estimated: the share that a step keeps; null for √β2.
    /// </summary>
    public double? Beta3 { get; init; }

    /// <summary>Whether weight decay is decoupled from the gradient, as in AdamW.</summary>
    public bool DecoupledDecay { get; init; } = true;

    /// <summary>Whether bias correction of the moments is used; it is applied to the learning rate.</summary>
    public bool BiasCorrection { get; init; }

    /// <summary>
    /// Whether the learning rate is left out of the denominator of the estimate; for runs with a warm-up.
    /// </summary>
    public bool SafeguardWarmup { get; init; }

    /// <summary>Initial estimate of the distance to the solution.</summary>
    public double InitialDistance { get; init; } = 1e-6;

    /// <summary>
    /// Factor on the estimate. This is the setting to change for a higher or lower learning rate.
    /// </summary>
    public double DistanceFactor { get; init; } = 1;

    /// <summary>Largest factor by which the estimate may grow in a step; infinite for no limit.</summary>
    public double GrowthRate { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Only every n-th element of a parameter enters the estimate, which saves memory; 1 for all.
    /// </summary>
    public int Slice { get; init; } = 1;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Prodigy(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Positive(Epsilon);
        Require.Positive(InitialDistance);
        Require.Positive(DistanceFactor);
        Require.That(GrowthRate >= 1, GrowthRate, nameof(GrowthRate), "at least 1");
        Require.AtLeast(1, Slice);
        if (Beta3 is { } beta3) Require.Fraction(beta3, nameof(Beta3));
        foreach (var group in Groups)
            Require.That(group.LearningRateFactor is 0 or 1, group.LearningRateFactor, nameof(group.LearningRateFactor),
            "0 or 1, because all parameters share one distance");
    }
}

/// <summary>
/// Prodigy: Adam that finds its learning rate, by estimating the distance of the solution from the initial
/// parameters.
/// </summary>
/// <remarks>
/// Mishchenko and Defazio, 2024, https://arxiv.org/abs/2306.06101. The estimate is used with one step of delay.
/// State: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c>, <c>s</c>, <c>p0</c>, and for all parameters together
/// <c>k</c>, <c>d</c>, <c>d_max</c>, <c>d_numerator</c>.
/// </remarks>
public sealed class Prodigy : ForeachOptimizer
{
    private static readonly TorchScript Script = new("Prodigy.py");

    private readonly ProdigyOptions options;
    private readonly StateNumber steps, distance, largest, numerator;
    private double rate;

    /// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
    /// range.</exception>
    public Prodigy(IEnumerable<(string Name, Parameter Parameter)> parameters, ProdigyOptions? options = null)
        : base(parameters, options ?? new(), parameter => Memory(parameter, (options ?? new()).Slice))
    {
        this.options = options ?? new();
        steps = Number("k", 0);
        numerator = Number("d_numerator", 0);
        distance = Number("d", this.options.InitialDistance);
        largest = Number("d_max", this.options.InitialDistance);
    }

    /// <summary>
    /// Current estimate of the distance to the solution, which is the learning rate that was found.
    /// </summary>
    public double Distance => distance.Value;

    /// <inheritdoc/>
    protected override void Move(IReadOnlyList<ParameterBatch> all)
    {
        var step = steps.Value + 1;
        var d = distance.Value;
        var first = options.InitialDistance;
        rate = d * LearningRate;
        if (options.BiasCorrection) rate *= Math.Sqrt(1 - Math.Pow(options.Beta2, step)) / (1 - Math.Pow(options.Beta1, step));
        var moving = all.Where(one => one.LearningRate > 0).ToList();
        var beta3 = options.Beta3 ?? Math.Sqrt(options.Beta2);
        var covered = numerator.Value * beta3;
        var sum = 0.0;
        foreach (var one in moving)
        {
            var (numeratorHere, denominatorHere) = Look(one, d, beta3, d / first * (options.SafeguardWarmup ? d : rate));
            covered += d / first * rate * numeratorHere;
            sum += denominatorHere;
        }
        if (sum == 0) return;   // all gradients so far are zero
        var estimate = options.DistanceFactor * covered / sum;
        if (d == first) d = Math.Max(d, estimate);
        largest.Value = Math.Max(largest.Value, estimate);
        distance.Value = Math.Min(largest.Value, d * options.GrowthRate);
        numerator.Value = covered;
        steps.Value = step;
        base.Move(moving);
    }

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) =>
        Script.Call("move", moving.Parameters, moving.State("exp_avg"), moving.State("exp_avg_sq"),
        rate, distance.Value * options.Epsilon, options.DecoupledDecay ? moving.WeightDecay : 0);

    private (double Numerator, double Denominator) Look(ParameterBatch moving, double d, double beta3, double scale)
    {
        if (moving.Step == 1) Script.Call("begin", moving.Parameters, moving.State("p0"), (long)options.Slice);
        var sums = (Tensor)Script.Call("look", moving.Parameters, moving.Gradients, moving.State("exp_avg"),
            moving.State("exp_avg_sq"), moving.State("s"),
            moving.State("p0"), d, options.Beta1, options.Beta2, beta3, scale,
                options.DecoupledDecay ? 0.0 : moving.WeightDecay, (long)options.Slice);
        var both = sums.cpu().data<double>();
        return (both[0], both[1]);
    }

    private static IEnumerable<(string Name, Tensor Value)> Memory(Parameter parameter, int slice)
    {
        var sliced = (parameter.numel() + Math.Max(1, slice) - 1) / Math.Max(1, slice);
        yield return ("exp_avg", zeros_like(parameter, requires_grad: false));
        yield return ("exp_avg_sq", zeros_like(parameter, requires_grad: false));
        yield return ("s", zeros([sliced], parameter.dtype, parameter.device));
        yield return ("p0", zeros([sliced], parameter.dtype, parameter.device));
    }
}
