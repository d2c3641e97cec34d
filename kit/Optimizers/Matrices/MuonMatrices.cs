using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The matrices of <see cref="Muon"/>.</summary>
/// <param name="parameters">Tensors of two axes or more.</param>
/// <param name="options">Settings.</param>
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
            update = torch.stack(updates)
            shape = update.shape
            if len(shape) == 5:
                update = update.flatten(2)
            grown = max(1.0, shape[-2] / shape[-1]) ** 0.5
            update = (orthogonal(update, steps, precision) * grown).to(params[0].dtype).reshape(shape)
            torch._foreach_add_(params, update.unbind(), alpha=-lr)

        """));

    private readonly MuonOptions options = options;

    public static Tensor Orthogonalize(Tensor matrix, int steps, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var made = (Tensor)Script.Value.Call("orthogonal", matrix, (long)steps, (long)precision);
        return made.to(matrix.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Matrices of one shape are made orthogonal as one batch.</summary>
    protected override void Move(ParameterBatch moving)
    {
        var means = moving.State("momentum_buffer");
        foreach (var alike in Enumerable.Range(0, means.Length).GroupBy(i => string.Join(",", means[i].shape)).Select(group => group.ToArray()))
            Script.Value.Call("muon", Chosen(moving.Parameters, alike), Chosen(moving.Gradients, alike), Chosen(means, alike), moving.LearningRate, options.Momentum,
                moving.WeightDecay, options.Nesterov, (long)options.NewtonSchulzSteps, (long)options.NewtonSchulzPrecision);
    }

    private static Tensor[] Chosen(Tensor[] all, int[] indices) => Array.ConvertAll(indices, i => all[i]);
}
