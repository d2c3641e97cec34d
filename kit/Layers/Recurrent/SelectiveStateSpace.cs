using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// A selective state-space layer (Mamba): h ← exp(ΔA) h + ΔB x; y = C h + D x, with Δ, B and C computed from x.
/// </summary>
/// <remarks>
/// The Mamba block, Gu and Dao, 2023, https://arxiv.org/abs/2312.00752, algorithm 2 and §3.4, with a short
/// causal convolution before the recurrence and a gate after it. Parameter names, layouts and initialization
/// are those of the authors' code.
/// </remarks>
public sealed class SelectiveStateSpace : Module<Tensor, Tensor>
{
    private readonly Dense in_proj, x_proj, dt_proj, out_proj;
    private readonly Conv1d conv1d;
    private readonly Parameter A_log;   // [inner, state]; A = -exp(A_log)
    private readonly Parameter D;       // [inner]
    private readonly int inner, state, rank, kernel;

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="state">Size of the state of each inner channel, N.</param>
    /// <param name="expansion">Number of inner channels as a multiple of <paramref name="width"/>.</param>
    /// <param name="kernel">Kernel size of the convolution, in tokens.</param>
    /// <exception cref="ArgumentException">A size is below 1.</exception>
    public SelectiveStateSpace(int width, int state = 16, int expansion = 2, int kernel = 4) : base(nameof(SelectiveStateSpace))
    {
        if (Math.Min(Math.Min(width, state), Math.Min(expansion, kernel)) < 1)
            throw new ArgumentException($"Got width {width}, state {state}, expansion {expansion} and kernel {kernel}; "
            + "expected at least 1 for each.");
        inner = expansion * width;
        this.state = state;
        rank = (width + 15) / 16;
        this.kernel = kernel;
        in_proj = Initialization.Dense(width, 2 * inner, bias: false);
        conv1d = Conv1d(inner, inner, kernel, padding: kernel - 1, groups: inner);
        x_proj = Initialization.Dense(inner, rank + (2 * state), bias: false);
        dt_proj = Steps();
        A_log = Parameter(arange(1, state + 1, float32).log().expand(inner, state).contiguous());
        D = Parameter(ones(inner));
        out_proj = Initialization.Dense(inner, width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        var (_, time, _) = x.Axes3();
        using var scope = NewDisposeScope();
        var parts = in_proj.call(x).chunk(2, -1);                                                     // 2 · [batch, time, inner]
        var gate = parts[1];
        var u = functional.silu(Convolved(parts[0], time));
        var made = x_proj.call(u).split([rank, state, state], -1);
        var delta = functional.softplus(dt_proj.call(made[0]), 1, 20);                                // [batch, time, inner]
        var y = Scan(u, delta, made[1], made[2]) + (u * D);
        return out_proj.call(y * functional.silu(gate)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Applies the causal depthwise convolution over the last few tokens: [batch, time, inner]. The kernel is so
    /// short that each of its elements is a separate product.
    /// </summary>
    private Tensor Convolved(Tensor x, long time)
    {
        var before = functional.pad(x, [0, 0, kernel - 1, 0]);                        // [batch, kernel - 1 + time, inner]
        var weight = conv1d.weight.squeeze(1);                                        // [inner, kernel]
        var sum = conv1d.bias!.alias();
        for (var k = 0; k < kernel; k++) sum = sum + (before.narrow(1, k, time) * weight.select(1, k));
        return sum;
    }

    /// <summary>
    /// Runs the recurrence token by token. Everything that does not depend on the state is computed for all tokens
    /// at once.
    /// </summary>
    /// <param name="u">[batch, time, inner].</param>
    /// <param name="delta">[batch, time, inner].</param>
    /// <param name="b">[batch, time, state].</param>
    /// <param name="c">[batch, time, state].</param>
    /// <returns>[batch, time, inner].</returns>
    private Tensor Scan(Tensor u, Tensor delta, Tensor b, Tensor c)
    {
        var keep = (delta.unsqueeze(-1) * -A_log.exp()).exp().unbind(1);              // time · [batch, inner, state]
        var enter = ((delta * u).unsqueeze(-1) * b.unsqueeze(2)).unbind(1);
        var states = new Tensor[keep.Length];
        for (var t = 0; t < states.Length; t++) states[t] = t == 0 ? enter[0] : enter[t].addcmul(keep[t], states[t - 1], 1);
        var all = stack(states, 1);
        // [batch, time, inner]; under autocast c has another dtype
        return all.MatMul(c.unsqueeze(-1).to(all.dtype)).squeeze(-1);
    }

    /// <summary>
    /// Creates the layer that computes Δ; its initial step sizes are log-uniform between 0.001 and 0.1.
    /// </summary>
    private Dense Steps()
    {
        var layer = new Dense(rank, inner);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        init.uniform_(layer.weight, -Math.Pow(rank, -0.5), Math.Pow(rank, -0.5));
        var step = ((rand(inner) * Math.Log(100)) + Math.Log(1e-3)).exp();
        layer.bias!.copy_(step + (-(-step).expm1()).log());                           // inverse of softplus
        return layer;
    }
}
