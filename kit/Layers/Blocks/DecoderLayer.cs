using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// A transformer decoder layer: self-attention, cross-attention and an MLP, each with a residual connection.
/// </summary>
/// <remarks>
/// Vaswani et al., 2017, §3.1, https://arxiv.org/abs/1706.03762; with <c>normFirst</c> as in Xiong et al., 2020,
/// https://arxiv.org/abs/2002.04745. Parameter names are those of <c>torch.nn.TransformerDecoderLayer</c>.
/// </remarks>
public sealed class DecoderLayer : Module<Tensor, Tensor, Tensor>
{
    private readonly MultiHeadAttention self_attn, multihead_attn;
    private readonly Dense linear1, linear2;
    private readonly LayerNorm norm1, norm2, norm3;
    private readonly Dropout dropout;
    private readonly HookPoint hook_resid_post = new();   // [batch, time, channels]
    private readonly Activation activation;
    private readonly bool normFirst;

    /// <param name="width">Channels of the residual stream and of the memory.</param>
    /// <param name="heads">Number of heads of each attention; must divide <paramref name="width"/>.</param>
    /// <param name="feedForwardWidth">Channels of the hidden layer of the MLP.</param>
    /// <param name="dropout">Dropout probability of the attention patterns, of the hidden layer of the MLP and of
    /// each branch's output.</param>
    /// <param name="activation">Non-linearity of the MLP.</param>
    /// <param name="normFirst">Whether to normalise the input of each branch (pre-norm) instead of each sum
    /// (post-norm).</param>
    /// <param name="epsilon">Added to the variances in the layer norms.</param>
    public DecoderLayer(int width, int heads, int feedForwardWidth, double dropout = 0.1,
        Activation activation = Activation.Relu, bool normFirst = false, double epsilon = 1e-5) : base(nameof(DecoderLayer))
    {
        this.activation = activation;
        this.normFirst = normFirst;
        self_attn = new MultiHeadAttention(width, heads, dropout);
        multihead_attn = new MultiHeadAttention(width, heads, dropout);
        linear1 = new Dense(width, feedForwardWidth);
        linear2 = new Dense(feedForwardWidth, width);
        norm1 = LayerNorm(width, epsilon);
        norm2 = LayerNorm(width, epsilon);
        norm3 = LayerNorm(width, epsilon);
        this.dropout = Dropout(dropout);
        RegisterComponents();
    }

    /// <summary>Runs the layer with a causal mask and without a mask on the memory.</summary>
    /// <param name="x">[batch, time, channels]; each token attends to itself and to earlier ones.</param>
    /// <param name="memory">The encoder's output, [batch, memory time, channels]; every token attends to all of
    /// it.</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x, Tensor memory) => Decode(x, memory, AttentionMask.CausalOnly, AttentionMask.None);

    /// <summary>Runs the layer with masks.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="memory">The encoder's output, [batch, memory time, channels].</param>
    /// <param name="mask">Which tokens each token attends to.</param>
    /// <param name="memoryMask">Which tokens of the memory each token attends to.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Decode(Tensor x, Tensor memory, AttentionMask mask, AttentionMask memoryMask)
    {
        var (batch, _, channels) = x.Axes3();
        var (memories, _, memoryChannels) = memory.Axes3();
        if (memories != batch || memoryChannels != channels)
            throw new ArgumentException($"Got {x.ShapeText()} and a memory {memory.ShapeText()}; "
            + "expected the same batch size and channels.", nameof(memory));
        using var scope = NewDisposeScope();
        if (normFirst)
        {
            x = x + Attention(norm1.Normalize(x), mask);
            x = x + AttentionTo(memory, norm2.Normalize(x), memoryMask);
            x = x + FeedForward(norm3.Normalize(x));
        }
        else
        {
            x = norm1.Normalize(x + Attention(x, mask));
            x = norm2.Normalize(x + AttentionTo(memory, x, memoryMask));
            x = norm3.Normalize(x + FeedForward(x));
        }
        return hook_resid_post.call(x).MoveToOuterDisposeScope();
    }

    private Tensor Attention(Tensor x, AttentionMask mask) => dropout.call(self_attn.Attend(x, mask));

    private Tensor AttentionTo(Tensor memory, Tensor x, AttentionMask mask) =>
        dropout.call(multihead_attn.Attend(x, memory, mask));

    private Tensor FeedForward(Tensor x) =>
        dropout.call(linear2.call(dropout.call(activation.Apply(linear1.call(x)))));
}
