using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Soap"/>; the defaults are the reference's.</summary>
public sealed record SoapOptions : AdamOptions
{
    /// <summary>The reference's defaults: a rate of 0.003, a decay of 0.01, both betas 0.95.</summary>
    public SoapOptions()
    {
        LearningRate = 3e-3;
        WeightDecay = 0.01;
        Beta1 = 0.95;
        Beta2 = 0.95;
    }

    /// <summary>Decay rate of the statistics of an axis: the share that a step keeps; null for β2.</summary>
    public double? ShampooBeta { get; init; }

    /// <summary>Number of steps between updates of the basis.</summary>
    public int PreconditionFrequency { get; init; } = 10;

    /// <summary>Axes longer than this have no basis.</summary>
    public int MaximumDimension { get; init; } = 10_000;

    /// <summary>Whether neighbouring axes are merged, up to the length <see cref="MaximumDimension"/>.</summary>
    public bool MergeDimensions { get; init; }

    /// <summary>Whether the axis of a vector has a basis too.</summary>
    public bool PreconditionVectors { get; init; }

    /// <summary>Whether each update is scaled to a root mean square of 1, before the learning rate.</summary>
    public bool NormalizeUpdates { get; init; }

    /// <summary>Whether bias correction of the moments is used.</summary>
    public bool BiasCorrection { get; init; } = true;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Soap(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        if (ShampooBeta is { } beta) Require.Fraction(beta, nameof(ShampooBeta));
        Require.AtLeast(1, PreconditionFrequency);
        Require.AtLeast(1, MaximumDimension);
    }

    /// <summary>Returns the axes of a tensor after merging.</summary>
    internal long[] AxesOf(long[] shape)
    {
        if (!MergeDimensions || shape.Length == 1) return shape;
        var merged = new List<long>();
        var current = 1L;
        foreach (var length in shape)
        {
            if (current * length <= MaximumDimension) current *= length;
            else if (current == 1) merged.Add(length);
            else
            {
                merged.Add(current);
                current = length;
            }
        }
        if (current > 1 || merged.Count == 0) merged.Add(current);
        return [.. merged];
    }

    /// <summary>Whether one of these axes of a tensor has a basis.</summary>
    internal bool HasBasis(long[] axes, int axis) => axes[axis] <= MaximumDimension && (axes.Length > 1 || PreconditionVectors);
}

/// <summary>SOAP: Adam in the basis of the eigenvectors of Shampoo's statistics of each axis.</summary>
/// <remarks>
/// Vyas et al., 2024, https://arxiv.org/abs/2409.11321. The first step computes the basis and does not change
/// the parameters. State: <c>step</c>, <c>exp_avg</c> and <c>exp_avg_sq</c> (both in that basis), and for each
/// axis <c>GG.0</c>, <c>Q.0</c> and so on.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class Soap(IEnumerable<(string Name, Parameter Parameter)> parameters, SoapOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), parameter => Memory(parameter, options ?? new()))
{
    private readonly SoapOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving)
    {
        for (var i = 0; i < moving.Parameters.Length; i++)
        {
            using var scope = NewDisposeScope();
            var basis = new SoapBasis(moving, i, options);
            var gradient = moving.Gradients[i].to(basis.Mean.dtype).reshape(basis.Axes);
            if (moving.Step == 1) basis.Begin(gradient);
            else Move(moving, i, basis, gradient);
        }
    }

    private void Move(ParameterBatch moving, int i, SoapBasis basis, Tensor gradient)
    {
        var step = moving.Step - 1;
        var parameter = moving.Parameters[i];
        var turned = basis.Project(gradient);
        basis.Mean.mul_(options.Beta1).add_(turned, 1 - options.Beta1);
        basis.Square.mul_(options.Beta2).add_(turned.square(), 1 - options.Beta2);
        var rate = moving.LearningRate;
        if (options.BiasCorrection) rate *= Math.Sqrt(1 - Math.Pow(options.Beta2, step)) / (1 - Math.Pow(options.Beta1, step));
        var update = basis.ProjectBack(basis.Mean / basis.Square.sqrt().add(options.Epsilon));
        if (options.NormalizeUpdates) update /= update.square().mean().sqrt().add(1e-30);
        parameter.add_(update.reshape(parameter.shape).to(parameter.dtype), -rate);
        if (moving.WeightDecay > 0) parameter.mul_(1 - (moving.LearningRate * moving.WeightDecay));
        basis.Learn(gradient);
        if (step % options.PreconditionFrequency == 0) basis.Refresh();
    }

    private static IEnumerable<(string Name, Tensor Value)> Memory(Parameter parameter, SoapOptions options)
    {
        options.Check();
        var axes = options.AxesOf(parameter.shape);
        var dtype = parameter.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? float32 : parameter.dtype;
        yield return ("exp_avg", zeros(parameter.shape, dtype, parameter.device));
        yield return ("exp_avg_sq", zeros(parameter.shape, dtype, parameter.device));
        for (var axis = 0; axis < axes.Length; axis++)
        {
            if (!options.HasBasis(axes, axis)) continue;
            yield return ($"GG.{axis}", zeros([axes[axis], axes[axis]], dtype, parameter.device));
            yield return ($"Q.{axis}", zeros([axes[axis], axes[axis]], dtype, parameter.device));
        }
    }
}
