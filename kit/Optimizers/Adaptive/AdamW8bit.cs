using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="AdamW8bit"/>.</summary>
public sealed record AdamW8bitOptions : AdamOptions
{
    /// <summary>PyTorch's AdamW defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public AdamW8bitOptions() => WeightDecay = 0.01;

    /// <summary>Number of elements in a block, which share a scale.</summary>
    public int BlockSize { get; init; } = 256;

    /// <summary>
    /// Smaller parameters keep moments in full precision. These are norms and biases, which are sensitive and
    /// small.
    /// </summary>
    public int SmallestQuantized { get; init; } = 4096;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        new AdamW8bit(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.AtLeast(1, BlockSize);
        Require.AtLeast(0, SmallestQuantized);
    }
}

/// <summary>AdamW with 8-bit moments: 2.03 bytes of state for each parameter element, instead of 8.</summary>
/// <remarks>
/// Dettmers et al., 2022, https://arxiv.org/abs/2110.02861. A moment is stored as a code of the
/// <see cref="DynamicCode"/> times the largest magnitude of its block. A step computes in float32, one tensor
/// at a time. State: <c>step</c>, <c>state1</c> and <c>state2</c> (codes of the mean and of the mean square),
/// <c>absmax1</c> and <c>absmax2</c> (one scale for each block); for small parameters <c>exp_avg</c> and
/// <c>exp_avg_sq</c>.
/// </remarks>
/// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
/// range.</exception>
public sealed class AdamW8bit(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamW8bitOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), parameter => Memory(parameter, options ?? new()))
{
    private static readonly TorchScript Script = new("AdamW8bit.py");

    private readonly AdamW8bitOptions options = options ?? new();

    /// <inheritdoc/>
    protected override void Move(ParameterBatch moving)
    {
        if (!moving.Has("state1"))
        {
            FusedSteps.Adam("adamw", moving,
                new FusedAdamWOptions { Beta1 = options.Beta1, Beta2 = options.Beta2, Epsilon = options.Epsilon });
            return;
        }
        var device = moving.Parameters[0].device;
        Script.Call("adamw", moving.Parameters, moving.Gradients, moving.State("state1"), moving.State("absmax1"),
            moving.State("state2"), moving.State("absmax2"),
            tensor(DynamicCode.Signed, float32, device), tensor(DynamicCode.Unsigned, float32, device),
            (double)moving.Step, moving.LearningRate,
            options.Beta1, options.Beta2, moving.WeightDecay, options.Epsilon, (long)options.BlockSize);
    }

    private static IEnumerable<(string Name, Tensor Value)> Memory(Parameter parameter, AdamW8bitOptions options)
    {
        options.Check();
        if (parameter.numel() < options.SmallestQuantized)
        {
            yield return ("exp_avg", zeros_like(parameter, requires_grad: false));
            yield return ("exp_avg_sq", zeros_like(parameter, requires_grad: false));
            yield break;
        }
        var blocks = (parameter.numel() + options.BlockSize - 1) / options.BlockSize;
        yield return ("state1", full(parameter.shape, DynamicCode.SignedZero, uint8, parameter.device));
        yield return ("state2", zeros(parameter.shape, uint8, parameter.device));
        yield return ("absmax1", zeros([blocks], float32, parameter.device));
        yield return ("absmax2", zeros([blocks], float32, parameter.device));
    }
}
