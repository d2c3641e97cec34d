using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Causal attention that may have fewer key and value heads than query heads, over all earlier tokens or a
/// sliding window of them.
/// </summary>
/// <remarks>
/// With as many key heads as query heads it is multi-head attention; with one it is multi-query attention
/// (Shazeer, 2019, https://arxiv.org/abs/1911.02150); in between it is grouped-query attention (Ainslie et al.,
/// 2023, https://arxiv.org/abs/2305.13245), which needs a smaller key-value cache. Rotary positions, no biases;
/// parameter names are those of Llama.
/// </remarks>
public sealed class GroupedQueryAttention : Module<Tensor, Tensor>
{
    private readonly Dense q_proj, k_proj, v_proj, o_proj;
    private readonly HookPoint hook_pattern = new();   // [batch, head, query, key]
    private readonly RotaryPositions rotary;
    private readonly AttentionMask mask;
    private readonly int heads, keyHeads;

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="heads">Number of query heads; must divide <paramref name="width"/>.</param>
    /// <param name="keyHeads">Number of key and value heads; must divide <paramref name="heads"/>.</param>
    /// <param name="window">Number of tokens that a token attends to, itself included; null for all earlier
    /// ones.</param>
    /// <exception cref="ArgumentException">The heads do not divide the width, the key heads do not divide the
    /// heads, a head has an odd width, or the window is below 1.</exception>
    public GroupedQueryAttention(int width, int heads, int keyHeads, int? window = null) : base(nameof(GroupedQueryAttention))
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"Width {width} is not divisible by {heads} heads.", nameof(heads));
        if (keyHeads < 1 || heads % keyHeads != 0)
            throw new ArgumentException($"{heads} heads are not divisible by {keyHeads} key heads.", nameof(keyHeads));
        if (window < 1) throw new ArgumentException($"The window is {window}; it must be at least 1.", nameof(window));
        this.heads = heads;
        this.keyHeads = keyHeads;
        mask = new AttentionMask { Causal = true, Window = window };
        rotary = new RotaryPositions(width / heads);
        q_proj = Initialization.Dense(width, width, bias: false);
        k_proj = Initialization.Dense(width, width / heads * keyHeads, bias: false);
        v_proj = Initialization.Dense(width, width / heads * keyHeads, bias: false);
        o_proj = Initialization.Dense(width, width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var query = rotary.Rotate(q_proj.call(x).SplitHeads(heads), 0);      // [batch, head, time, d_head]
        var key = rotary.Rotate(k_proj.call(x).SplitHeads(keyHeads), 0);     // [batch, key head, time, d_head]
        var value = v_proj.call(x).SplitHeads(keyHeads);
        var mixed = ScaledDotProductAttention.Attend(query, key, value, mask, hook_pattern);
        return o_proj.call(mixed.MergeHeads()).MoveToOuterDisposeScope();
    }
}
