using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Causal attention whose key and value heads may be fewer than its query heads, over all that came before or a window of it.
/// </summary>
/// <remarks>
/// As many key heads as heads is multi-head attention; one is multi-query attention (Shazeer, 2019,
/// https://arxiv.org/abs/1911.02150); between lies grouped-query attention (Ainslie et al., 2023,
/// https://arxiv.org/abs/2305.13245): fewer keys and values to keep for the tokens to come. Rotary positions, no biases;
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
    /// <param name="heads">Query heads; divides <paramref name="width"/>.</param>
    /// <param name="keyHeads">Key and value heads; divides <paramref name="heads"/>.</param>
    /// <param name="window">Tokens that a token sees, itself included; null for all before it.</param>
    /// <exception cref="ArgumentException">One does not divide the other, heads of an odd width, or a window below 1.</exception>
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
