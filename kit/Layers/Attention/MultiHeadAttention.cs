using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Multi-head attention: several heads in parallel, each on its own projection of the tokens.
/// </summary>
/// <remarks>
/// Vaswani et al., 2017, §3.2.2, https://arxiv.org/abs/1706.03762. Parameter names and layout are those of
/// <c>torch.nn.MultiheadAttention</c>.
/// </remarks>
public sealed class MultiHeadAttention : Module<Tensor, Tensor>, IPackableLayer
{
    private readonly Parameter in_proj_weight;   // [3 · width, width]: query, key, value
    private readonly Parameter in_proj_bias;     // [3 · width]
    private readonly Dense out_proj;
    private readonly HookPoint hook_pattern = new();   // [batch, head, query, key]
    private readonly int heads;
    private readonly double dropout;
    private PackedLinear? packed;                      // set in a model that is packed for inference

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="heads">Number of heads; must divide <paramref name="width"/>.</param>
    /// <param name="dropout">Dropout probability of the attention pattern.</param>
    public MultiHeadAttention(int width, int heads, double dropout = 0) : base(nameof(MultiHeadAttention))
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"Width {width} is not divisible by {heads} heads.", nameof(heads));
        this.heads = heads;
        this.dropout = Require.Probability(dropout, nameof(dropout));
        in_proj_weight = Parameter(init.xavier_uniform_(empty(3 * width, width)));
        in_proj_bias = Parameter(zeros(3 * width));
        out_proj = new Dense(width, width);
        init.zeros_(out_proj.bias);
        RegisterComponents();
    }

    /// <summary>Self-attention without a mask: every token attends to every token.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x) => Attend(x, AttentionMask.None);

    /// <summary>Self-attention with a mask.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="mask">Which tokens each token attends to.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Attend(Tensor x, AttentionMask mask)
    {
        using var scope = NewDisposeScope();
        var qkv = Project(x, 0, 3).chunk(3, -1);   // 3 · [batch, time, channels]
        return Mix(qkv[0], qkv[1], qkv[2], mask).MoveToOuterDisposeScope();
    }

    /// <summary>Cross-attention: tokens attend to another sequence.</summary>
    /// <param name="x">[batch, time, channels], the source of the queries.</param>
    /// <param name="memory">[batch, memory time, channels], the source of the keys and values.</param>
    /// <param name="mask">Which tokens of the memory each token attends to.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Attend(Tensor x, Tensor memory, AttentionMask mask)
    {
        using var scope = NewDisposeScope();
        var query = Project(x, 0, 1);
        var keyValue = Project(memory, 1, 2).chunk(2, -1);
        return Mix(query, keyValue[0], keyValue[1], mask).MoveToOuterDisposeScope();
    }

    void IPackableLayer.Pack(ScalarType dtype)
    {
        packed = new PackedLinear(in_proj_weight, dtype);
        register_module(nameof(packed), packed);
        Packing.Empty(in_proj_weight);
    }

    /// <summary>Computes some of query, key and value, concatenated on the last axis.</summary>
    private Tensor Project(Tensor x, int first, int count)
    {
        var width = in_proj_weight.shape[1];
        if (packed is not null) return packed.Multiply(x, in_proj_bias).narrow(-1, first * width, count * width);
        return count == 3 ? LinearProduct.Of(x, in_proj_weight, in_proj_bias)
            : LinearProduct.Of(x, in_proj_weight.narrow(0, first * width, count * width),
                in_proj_bias.narrow(0, first * width, count * width));
    }

    private Tensor Mix(Tensor query, Tensor key, Tensor value, AttentionMask mask)
    {
        var mixed = ScaledDotProductAttention.Attend(query.SplitHeads(heads), key.SplitHeads(heads), value.SplitHeads(heads),
            mask, hook_pattern, training ? dropout : 0);   // [batch, head, time, d_head]
        return out_proj.call(mixed.MergeHeads());
    }
}
