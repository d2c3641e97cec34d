using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="AdamW8bit"/>.</summary>
public sealed record AdamW8bitOptions : AdamOptions
{
    /// <summary>PyTorch's AdamW defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public AdamW8bitOptions() => WeightDecay = 0.01;

    /// <summary>Numbers that share a scale.</summary>
    public int BlockSize { get; init; } = 256;

    /// <summary>
    /// Parameters of fewer numbers than this keep moments of full precision: norms and biases, which are sensitive and small.
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

/// <summary>
/// AdamW whose moments take a byte per number in place of four: 2.03 bytes per parameter in all, in place of 8.
/// </summary>
/// <remarks>
/// Dettmers et al., 2022, https://arxiv.org/abs/2110.02861: a moment is a code of the <see cref="DynamicCode"/> times the largest
/// magnitude of its block; a step computes in float32, tensor by tensor. State: <c>step</c>, <c>state1</c> and <c>state2</c>
/// (codes of the mean and of the mean square), <c>absmax1</c> and <c>absmax2</c> (one per block); of small parameters
/// <c>exp_avg</c> and
/// <c>exp_avg_sq</c>.
/// </remarks>
/// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
/// <param name="options">Settings.</param>
/// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
public sealed class AdamW8bit(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamW8bitOptions? options = null)
    : ForeachOptimizer(parameters, options ?? new(), parameter => Memory(parameter, options ?? new()))
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def decoded(codes: Tensor, scales: Tensor, code: Tensor, block: int) -> Tensor:
            values = code.index_select(0, codes.flatten().to(3))
            short = scales.numel() * block - values.numel()
            return torch.constant_pad_nd(values, [0, short]).view(-1, block) * scales.unsqueeze(1)

        def encode(values: Tensor, codes: Tensor, scales: Tensor, fewest: float) -> None:
            scales.copy_(values.abs().amax([1]))
            shares = (values / torch.where(scales > 0, scales, torch.ones_like(scales)).unsqueeze(1)).flatten()[:codes.numel()]
            sizes = shares.abs()
            powers = torch.log10(sizes).ceil_().add_(6.0).clamp_(0.0, 6.0)
            parts = torch.exp2(powers).mul_(fewest)
            places = sizes.mul_(torch.pow(10.0, 6.0 - powers)).sub_(0.1).mul_(parts).div_(0.9).floor_().add_(parts).add_(1.0 - fewest)
            if fewest == 1.0:
                places = places.mul_(shares.sign()).add_(127.0)
            codes.copy_(places.clamp_(0.0, 255.0).view(codes.shape))

        def adamw(params: List[Tensor], grads: List[Tensor], codes1: List[Tensor], scales1: List[Tensor], codes2: List[Tensor], scales2: List[Tensor], signed: Tensor, unsigned: Tensor, step: float, lr: float, beta1: float, beta2: float, weight_decay: float, eps: float, block: int) -> None:
            for i in range(len(params)):
                mean = decoded(codes1[i], scales1[i], signed, block)
                square = decoded(codes2[i], scales2[i], unsigned, block)
                grad = grads[i].flatten().float()
                grad = torch.constant_pad_nd(grad, [0, mean.numel() - grad.numel()]).view(-1, block)
                mean.mul_(beta1).add_(grad, alpha=1.0 - beta1)
                square.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
                encode(mean, codes1[i], scales1[i], 1.0)
                encode(square, codes2[i], scales2[i], 2.0)
                update = mean / (square.sqrt_().div_((1.0 - beta2 ** step) ** 0.5).add_(eps))
                update = update.flatten()[:params[i].numel()].view(params[i].shape)
                params[i].mul_(1.0 - lr * weight_decay)
                params[i].add_(update.to(params[i].dtype), alpha=-lr / (1.0 - beta1 ** step))

        """));

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
        Script.Value.Call("adamw", moving.Parameters, moving.Gradients, moving.State("state1"), moving.State("absmax1"),
            moving.State("state2"), moving.State("absmax2"),
            tensor(DynamicCode.Signed, float32, device), tensor(DynamicCode.Unsigned, float32, device), (double)moving.Step,
                moving.LearningRate,
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
