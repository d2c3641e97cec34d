using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Multi-head self-attention without the output projection.</summary>
/// <remarks>
/// Vaswani et al., 2017, §3.2.2, https://arxiv.org/abs/1706.03762. Query, key and value have separate linear
/// layers, named as in the published BERT and ViT. In those models the output projection belongs to another
/// module.
/// </remarks>
public sealed class SelfAttention : Module<Tensor, Tensor>, IPackableLayer
{
    private readonly Dense query, key, value;
    private readonly HookPoint hook_q = new(), hook_k = new(), hook_v = new(), hook_z = new();   // [batch, head, time, d_head]
    private readonly HookPoint hook_attn_scores = new(), hook_pattern = new();   // [batch, head, query, key]
    private readonly int heads;
    private readonly double dropout;
    // set in a model that is packed for inference: query, key and value in one matrix
    private PackedLinear? packed;
    private Tensor? biases;         // biases of the packed layers, [3 · heads · d_head]

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="heads">Number of heads; must divide <paramref name="width"/> unless the head width is given.</param>
    /// <param name="dropout">Dropout probability of the attention pattern.</param>
    /// <param name="bias">Whether the three projections have a bias.</param>
    /// <param name="headWidth">Channels of a head; null for <paramref name="width"/> divided by <paramref name="heads"/>.</param>
    public SelfAttention(int width, int heads, double dropout = 0, bool bias = true, int? headWidth = null)
        : base(nameof(SelfAttention))
    {
        if (heads < 1 || (headWidth is null && width % heads != 0))
            throw new ArgumentException($"Width {width} is not divisible by {heads} heads.", nameof(heads));
        Require.AtLeast(1, headWidth ?? 1);
        this.heads = heads;
        this.dropout = Require.Probability(dropout, nameof(dropout));
        var inner = heads * (headWidth ?? width / heads);
        query = Initialization.Dense(width, inner, bias);
        key = Initialization.Dense(width, inner, bias);
        value = Initialization.Dense(width, inner, bias);
        RegisterComponents();
    }

    /// <summary>Self-attention without a mask: every token attends to every token.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, heads · d_head], the heads concatenated.</returns>
    public override Tensor forward(Tensor x) => Attend(x, AttentionMask.None);

    /// <summary>Self-attention with a mask.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="mask">Which tokens each token attends to.</param>
    /// <returns>[batch, time, heads · d_head], the heads concatenated.</returns>
    public Tensor Attend(Tensor x, AttentionMask mask)
    {
        using var scope = NewDisposeScope();
        // [batch, time, heads · d_head] each
        var qkv = packed?.Multiply(x, biases).chunk(3, -1) ?? [query.call(x), key.call(x), value.call(x)];
        var q = hook_q.Pass(qkv[0].SplitHeads(heads));   // [batch, head, time, d_head]
        var k = hook_k.Pass(qkv[1].SplitHeads(heads));
        var v = hook_v.Pass(qkv[2].SplitHeads(heads));
        var mixed = ScaledDotProductAttention.Attend(q, k, v, mask, hook_pattern, training ? dropout : 0,
            scores: hook_attn_scores);
        return hook_z.Pass(mixed).MergeHeads().MoveToOuterDisposeScope();
    }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        (packed, biases) = Dense.Join(dtype, query, key, value);
        register_module(nameof(packed), packed);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) biases?.Dispose();
        base.Dispose(disposing);
    }
}
