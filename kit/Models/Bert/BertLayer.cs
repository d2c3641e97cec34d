using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>One reading of tokens by an encoder.</summary>
/// <param name="Mask">What a token sees.</param>
/// <param name="Recomputes">Whether blocks compute their inside again in the backward pass.</param>
internal sealed record EncoderPass(AttentionMask Mask, bool Recomputes) : IPass<EncoderPass>
{
    /// <inheritdoc/>
    public IReadOnlyList<Tensor?> Tensors => [Mask.Padding];

    /// <inheritdoc/>
    public EncoderPass With(IReadOnlyList<Tensor?> tensors) => this with { Mask = Mask with { Padding = tensors[0] } };
}

/// <summary>The layers of a <see cref="Bert"/>, one after the other.</summary>
internal sealed class BertEncoder : Module<Tensor, Tensor>
{
    private readonly ModuleList<BertLayer> layer;

    public BertEncoder(BertConfig config) : base(nameof(BertEncoder))
    {
        layer = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new BertLayer(config, layer))]);
        RegisterComponents();
    }

    public bool RecomputesBlocks { get; set; }

    public override Tensor forward(Tensor x) => Encode(x, AttentionMask.None);

    public Tensor Encode(Tensor x, AttentionMask mask)
    {
        using var scope = NewDisposeScope();
        var pass = new EncoderPass(mask, RecomputesBlocks);
        foreach (var each in layer) x = each.call(x, pass);
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>One layer: x ← norm(x + attention(x)); x ← norm(x + mlp(x)).</summary>
internal sealed class BertLayer : Module<Tensor, Tensor>, IBlock<EncoderPass>
{
    private readonly BertAttention attention;
    private readonly IntermediateDense intermediate;
    private readonly BertOutput output;
    // [batch, time, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    // [batch, time, channels]
    private readonly HookPoint hook_attn_in = new(), hook_attn_out = new(), hook_mlp_in = new(), hook_mlp_out = new();

    public BertLayer(BertConfig config, int layer) : base(nameof(BertLayer))
    {
        attention = new BertAttention(config, layer);
        intermediate = new IntermediateDense(config.ModelWidth, config.FeedForwardWidthOf(layer), config.Activation);
        output = new BertOutput(config, config.FeedForwardWidthOf(layer));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Step(x, new EncoderPass(AttentionMask.None, Recomputes: false));

    public Tensor Step(Tensor x, EncoderPass pass)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.Pass(x);
        x = hook_resid_mid.Pass(attention.Attend(x, pass.Mask, hook_attn_in, hook_attn_out));
        return hook_resid_post.Pass(output.Add(intermediate.call(hook_mlp_in.Pass(x)), x, hook_mlp_out))
            .MoveToOuterDisposeScope();
    }
}

/// <summary>Attention branch: norm(x + attention(x)).</summary>
internal sealed class BertAttention : Module<Tensor, Tensor>
{
    private readonly SelfAttention self;
    private readonly BertOutput output;

    public BertAttention(BertConfig config, int layer) : base(nameof(BertAttention))
    {
        self = new SelfAttention(config.ModelWidth, config.HeadsOf(layer), config.Dropout, headWidth: config.WidthOfHead);
        output = new BertOutput(config, config.HeadsOf(layer) * config.WidthOfHead);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Attend(x, AttentionMask.None, null, null);

    /// <param name="x">Residual stream, [batch, time, channels].</param>
    /// <param name="mask">What a token sees.</param>
    /// <param name="read">Hook point of what attention reads; null for none.</param>
    /// <param name="written">Hook point of what attention writes; null for none.</param>
    public Tensor Attend(Tensor x, AttentionMask mask, HookPoint? read, HookPoint? written)
    {
        using var mixed = self.Attend(read?.Pass(x) ?? x, mask);
        return output.Add(mixed, x, written);
    }
}

/// <summary>Output layer of a branch: norm(residual + W x + b).</summary>
internal sealed class BertOutput : Module<Tensor, Tensor>
{
    private readonly Dense dense;
    private readonly LayerNormalization LayerNorm;
    private readonly Dropout dropout;

    public BertOutput(BertConfig config, int inputs) : base(nameof(BertOutput))
    {
        dense = Initialization.Dense(inputs, config.ModelWidth);
        LayerNorm = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return dropout.call(dense.call(x)).MoveToOuterDisposeScope();
    }

    /// <summary>norm(residual + W x + b), where W x + b passes through a hook point.</summary>
    public Tensor Add(Tensor x, Tensor residual, HookPoint? hook)
    {
        using var scope = NewDisposeScope();
        var written = call(x);
        return LayerNorm.call(residual + (hook?.Pass(written) ?? written)).MoveToOuterDisposeScope();
    }
}
