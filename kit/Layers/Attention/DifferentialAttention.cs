using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// (softmax(Q₁K₁ᵀ/√d) − λ softmax(Q₂K₂ᵀ/√d)) V: the difference of two attention patterns, which cancels what is
/// common to both as noise.
/// </summary>
/// <remarks>
/// Ye et al., 2024, https://arxiv.org/abs/2410.05258, §2.1, with λ = exp(λ_q1·λ_k1) − exp(λ_q2·λ_k2) + λ_init and
/// λ_init = 0.8 − 0.6 exp(−0.3 layer). The output of each head is normalised separately and scaled by 1 −
/// λ_init. Causal, with rotary positions, without biases; parameter names are those of the authors' code. Each
/// head has two queries and two keys of half its width, so the layer has about as many parameters as
/// <see cref="GroupedQueryAttention"/> with the same width and heads.
/// </remarks>
public sealed class DifferentialAttention : Module<Tensor, Tensor>
{
    private readonly Dense q_proj, k_proj, v_proj, out_proj;
    private readonly Parameter lambda_q1, lambda_k1, lambda_q2, lambda_k2;        // [d_head / 2]
    // normalises the output of each head
    private readonly RmsNorm subln;
    private readonly HookPoint hook_pattern_1 = new(), hook_pattern_2 = new();    // [batch, head, query, key]
    private readonly RotaryPositions rotary;
    private readonly double lambdaInit;
    private readonly int heads;

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="heads">Number of heads, each with two attention patterns; 4 · heads must divide
    /// <paramref name="width"/>.</param>
    /// <param name="layer">Index of the layer in the model, from 0; deeper layers start with a larger λ.</param>
    /// <exception cref="ArgumentException">4 · heads does not divide the width.</exception>
    public DifferentialAttention(int width, int heads, int layer) : base(nameof(DifferentialAttention))
    {
        if (heads < 1 || width % (4 * heads) != 0)
            throw new ArgumentException($"Width {width} is not divisible by 4 · {heads} heads: each head has two queries, "
            + "and rotary positions need an even number of channels in each.", nameof(heads));
        this.heads = heads;
        lambdaInit = 0.8 - (0.6 * Math.Exp(-0.3 * layer));
        var half = width / heads / 2;
        rotary = new RotaryPositions(half);
        q_proj = Initialization.Dense(width, width, bias: false);
        k_proj = Initialization.Dense(width, width, bias: false);
        v_proj = Initialization.Dense(width, width, bias: false);
        out_proj = Initialization.Dense(width, width, bias: false);
        lambda_q1 = Small(half);
        lambda_k1 = Small(half);
        lambda_q2 = Small(half);
        lambda_k2 = Small(half);
        subln = new RmsNorm(2 * half, epsilon: 1e-5);
        RegisterComponents();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var query = Pairs(q_proj.call(x));
        var key = Pairs(k_proj.call(x));   // 2 · [batch, head, time, d_head / 2]
        var value = v_proj.call(x).SplitHeads(heads);                              // [batch, head, time, d_head]
        var first = ScaledDotProductAttention.Attend(query[0], key[0], value, AttentionMask.CausalOnly, hook_pattern_1);
        var second = ScaledDotProductAttention.Attend(query[1], key[1], value, AttentionMask.CausalOnly, hook_pattern_2);
        var lambda = (lambda_q1 * lambda_k1).sum().exp() - (lambda_q2 * lambda_k2).sum().exp() + lambdaInit;
        var mixed = subln.call(first - (lambda * second)) * (1 - lambdaInit);
        return out_proj.call(mixed.MergeHeads()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Splits into pairs of half heads and rotates them: [batch, time, channels] to two of [batch, head, time,
    /// d_head / 2].
    /// </summary>
    private Tensor[] Pairs(Tensor projected)
    {
        // [batch, head, 2, time, d_head / 2]
        var halves = rotary.Rotate(projected.SplitHeads(2 * heads), 0).unflatten(1, heads, 2);
        return [halves.select(2, 0), halves.select(2, 1)];
    }

    private static Parameter Small(int width) => Parameter(init.normal_(empty(width), 0, 0.1));
}
