using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The matrices of <see cref="Muon"/>.</summary>
internal sealed class MuonMatrices(IEnumerable<(string Name, Parameter Parameter)> parameters, MuonOptions options)
    : ForeachOptimizer(parameters, options, "momentum_buffer")
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def orthogonal(matrix: Tensor, steps: int, precision: int) -> Tensor:
            tall = matrix.size(-2) > matrix.size(-1)
            x = matrix.to(precision)
            if tall:
                x = x.transpose(-2, -1)
            x = x / (x.norm(2, [-2, -1], keepdim=True) + 1e-7)
            for _ in range(steps):
                a = torch.matmul(x, x.transpose(-2, -1))
                b = a * -4.7750 + torch.matmul(a * 2.0315, a)
                x = x * 3.4445 + torch.matmul(b, x)
            return x.transpose(-2, -1) if tall else x

        def muon(params: List[Tensor], grads: List[Tensor], means: List[Tensor], lr: float, momentum: float, weight_decay: float, nesterov: bool, steps: int, precision: int) -> None:
            torch._foreach_lerp_(means, grads, 1.0 - momentum)
            updates = torch._foreach_lerp(grads, means, momentum) if nesterov else means
            if weight_decay != 0.0:
                torch._foreach_mul_(params, 1.0 - lr * weight_decay)
            for i in range(len(params)):
                update = updates[i]
                if update.dim() == 4:
                    update = update.flatten(1)
                update = orthogonal(update, steps, precision)
                grown = max(1.0, params[i].size(-2) / params[i].size(-1)) ** 0.5
                params[i].add_((update * grown).reshape(params[i].shape).to(params[i].dtype), alpha=-lr)

        """));

    private readonly MuonOptions options = options;

    public static Tensor Orthogonalize(Tensor matrix, int steps, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var made = (Tensor)Script.Value.Call("orthogonal", matrix, (long)steps, (long)precision);
        return made.to(matrix.dtype).MoveToOuterDisposeScope();
    }

    protected override void Move(MovingParameters moving) => Script.Value.Call("muon", moving.Parameters, moving.Gradients, moving.State("momentum_buffer"),
        moving.LearningRate, options.Momentum, moving.WeightDecay, options.Nesterov, (long)options.NewtonSchulzSteps, (long)options.NewtonSchulzPrecision);
}
