using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Shampoo"/>.</summary>
public sealed record ShampooOptions : OptimizerSettings
{
    /// <summary>The default learning rate, 0.1.</summary>
    public ShampooOptions() => LearningRate = 0.1;

    /// <summary>The statistics of every axis start with this number times the identity matrix.</summary>
    public double Epsilon { get; init; } = 1e-4;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Shampoo(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Positive(Epsilon);
    }
}

/// <summary>
/// Shampoo: preconditions the gradient on each axis with a root of the sum of its outer products.
/// </summary>
/// <remarks>
/// Gupta, Koren and Singer, 2018, https://arxiv.org/abs/1802.09568, algorithms 1 and 2: with k axes, the
/// gradient is multiplied on each axis by the statistics of the axis to the power of -1/2k. Each step needs an
/// eigendecomposition for each axis, so axes should not be longer than some hundreds. Weight decay is
/// decoupled. State: <c>step</c>, and for each axis <c>precond_0</c> and so on.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class Shampoo(IEnumerable<(string Name, Parameter Parameter)> parameters, ShampooOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), parameter => Memory(parameter, (options ?? new()).Epsilon))
{
    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving)
    {
        for (var i = 0; i < moving.Parameters.Length; i++)
        {
            using var scope = NewDisposeScope();
            var parameter = moving.Parameters[i];
            var shape = Axes(parameter);
            var gradient = moving.Gradients[i].reshape(shape);
            var update = gradient;
            for (var axis = 0; axis < shape.Length; axis++)
            {
                var statistic = moving.State($"precond_{axis}")[i];
                var rows = gradient.transpose(0, axis).reshape(shape[axis], -1).to(statistic.dtype);
                statistic.add_(rows.mm(rows.t()));
                var turned = update.transpose(0, axis);
                update = Root(statistic, -0.5 / shape.Length).mm(turned.reshape(shape[axis], -1).to(statistic.dtype))
                    .reshape(turned.shape).transpose(0, axis);
            }
            if (moving.WeightDecay != 0) parameter.mul_(1 - (moving.LearningRate * moving.WeightDecay));
            parameter.add_(update.reshape(parameter.shape).to(parameter.dtype), -moving.LearningRate);
        }
    }

    private static Tensor Root(Tensor statistic, double power)
    {
        var (values, vectors) = Eigen.Symmetric(statistic);
        return (vectors * values.pow(power)).mm(vectors.t());
    }

    private static long[] Axes(Tensor parameter) => parameter.dim() == 0 ? [1] : parameter.shape;

    private static IEnumerable<(string Name, Tensor Value)> Memory(Parameter parameter, double epsilon)
    {
        var dtype = parameter.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? float32 : parameter.dtype;
        return Axes(parameter).Select(
            (length, axis) => ($"precond_{axis}", eye(length, dtype: dtype, device: parameter.device) * epsilon));
    }
}
