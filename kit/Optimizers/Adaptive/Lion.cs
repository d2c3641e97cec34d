using ResearchKit.Tensors;
using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>
/// Settings of <see cref="Lion"/>; the defaults are the reference's. Compared with AdamW, a good learning rate
/// is 3 to 10 times smaller, and a good weight decay larger by the same factor.
/// </summary>
public sealed record LionOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: a rate of 0.0001, no decay.</summary>
    public LionOptions() => LearningRate = 1e-4;

    /// <summary>Share of the mean gradient in the direction of a step; the rest is the current gradient.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the mean gradient: the share that a step keeps.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Lion(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Fraction(Beta1);
        Require.Fraction(Beta2);
    }
}

/// <summary>
/// Lion: changes every parameter element by the learning rate, with the sign of a mean gradient.
/// </summary>
/// <remarks>Chen et al., 2023, https://arxiv.org/abs/2302.06675. State: <c>step</c>, <c>exp_avg</c>.</remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class Lion(IEnumerable<(string Name, Parameter Parameter)> parameters, LionOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg")
{
    private static readonly TorchScript Script = new("Lion.py");

    private readonly LionOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => Script.Call("lion", moving.Parameters, moving.Gradients,
        moving.State("exp_avg"), moving.LearningRate, options.Beta1, options.Beta2, moving.WeightDecay);
}
