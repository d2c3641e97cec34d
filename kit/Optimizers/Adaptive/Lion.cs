using ResearchKit.Tensors;
using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>
/// Settings of <see cref="Lion"/>; the defaults are the reference's. A good rate is 3 to 10 times below AdamW's, a good decay as
/// much above.
/// </summary>
public sealed record LionOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: a rate of 0.0001, no decay.</summary>
    public LionOptions() => LearningRate = 1e-4;

    /// <summary>Share of the mean gradient in a step's direction.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean gradient a step keeps.</summary>
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

/// <summary>Moves every number by the learning rate, in the direction of the sign of a mean gradient.</summary>
/// <remarks>Chen et al., 2023, https://arxiv.org/abs/2302.06675. State: <c>step</c>, <c>exp_avg</c>.</remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class Lion(IEnumerable<(string Name, Parameter Parameter)> parameters, LionOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), "exp_avg")
{
    private static readonly TorchScript Script = new("Lion.py");

    private readonly LionOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving) => Script.Call("lion", moving.Parameters, moving.Gradients,
        moving.State("exp_avg"), moving.LearningRate, options.Beta1, options.Beta2, moving.WeightDecay);
}
