using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>One layer: x ← x + attention(norm(x)); x ← x + mlp(norm(x)).</summary>
internal sealed class LlamaLayer : Module, IBlock<DecoderPass>
{
    private readonly RmsNorm input_layernorm;
    private readonly LlamaAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly GatedMlp mlp;
    // [batch, time, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    // [batch, time, channels]
    private readonly HookPoint hook_attn_in = new(), hook_attn_out = new(), hook_mlp_in = new(), hook_mlp_out = new();

    public LlamaLayer(LlamaConfig config, int layer) : base(nameof(LlamaLayer))
    {
        input_layernorm = new RmsNorm(config.ModelWidth, config.NormEpsilon);
        self_attn = new LlamaAttention(config, layer);
        post_attention_layernorm = new RmsNorm(config.ModelWidth, config.NormEpsilon);
        mlp = new GatedMlp(config.ModelWidth, config.FeedForwardWidthOf(layer), config.Activation);
        RegisterComponents();
    }

    /// <inheritdoc cref="ILayeredDecoder.ReadHeads"/>
    public (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(Tensor x, DecoderPass pass) =>
        self_attn.ReadHeads(input_layernorm.call(x), pass);

    /// <summary>The query projection's weight; null while it is neither packed nor quantized.</summary>
    public PackedMatrix? FirstWeight => self_attn.FirstWeight;

    /// <summary>The layer for steps of one token; null where a product of it is computed otherwise.</summary>
    public StepLayer? Step(int heads, int keyHeads) =>
        self_attn.Step() is var (projections, output) && mlp.Step() is var (inner, factor, outer)
            ? new StepLayer(input_layernorm.Step(), projections, output, post_attention_layernorm.Step(), inner, factor, outer,
                heads, keyHeads) : null;

    public Tensor Step(Tensor x, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.Pass(x);
        x = hook_resid_mid.Pass(x + hook_attn_out.Pass(self_attn.Attend(input_layernorm.call(hook_attn_in.Pass(x)), pass)));
        x = hook_resid_post.Pass(x + hook_mlp_out.Pass(mlp.call(post_attention_layernorm.call(hook_mlp_in.Pass(x)))));
        return x.MoveToOuterDisposeScope();
    }
}
