using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>The <see cref="Vit"/> model without its head.</summary>
internal sealed class VitEncoder : Module<Tensor, Tensor>
{
    private readonly VitEmbeddings embeddings;
    private readonly VitLayers encoder;
    private readonly LayerNorm layernorm;
    private readonly HookPoint hook_embed = new();   // [batch, 1 + patches, channels], positions included

    public VitEncoder(VitConfig config) : base(nameof(VitEncoder))
    {
        embeddings = new VitEmbeddings(config);
        encoder = new VitLayers(config);
        layernorm = LayerNorm(config.ModelWidth, config.NormEpsilon);
        RegisterComponents();
    }

    public bool RecomputesBlocks
    {
        get => encoder.RecomputesBlocks;
        set => encoder.RecomputesBlocks = value;
    }

    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return layernorm.Normalize(encoder.call(hook_embed.call(embeddings.call(images)))).MoveToOuterDisposeScope();
    }
}

/// <summary>The layers, one after the other.</summary>
internal sealed class VitLayers : Module<Tensor, Tensor>
{
    private readonly ModuleList<VitLayer> layer;

    public VitLayers(VitConfig config) : base(nameof(VitLayers))
    {
        layer = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new VitLayer(config, layer))]);
        RegisterComponents();
    }

    public bool RecomputesBlocks { get; set; }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var each in layer) x = each.call(x, RecomputesBlocks);
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>One layer: x ← x + attention(norm(x)); x ← x + mlp(norm(x)).</summary>
internal sealed class VitLayer : Module<Tensor, Tensor>
{
    private readonly LayerNorm layernorm_before, layernorm_after;
    private readonly VitAttention attention;
    private readonly IntermediateDense intermediate;
    private readonly VitOutput output;
    // [batch, 1 + patches, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    // [batch, 1 + patches, channels]
    private readonly HookPoint hook_attn_out = new(), hook_mlp_out = new();

    public VitLayer(VitConfig config, int layer) : base(nameof(VitLayer))
    {
        layernorm_before = LayerNorm(config.ModelWidth, config.NormEpsilon);
        attention = new VitAttention(config, layer);
        layernorm_after = LayerNorm(config.ModelWidth, config.NormEpsilon);
        intermediate = new IntermediateDense(config.ModelWidth, config.FeedForwardWidthOf(layer), config.Activation);
        output = new VitOutput(config, config.FeedForwardWidthOf(layer));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.call(x);
        x = hook_resid_mid.call(x + hook_attn_out.call(attention.call(layernorm_before.Normalize(x))));
        x = hook_resid_post.call(x + hook_mlp_out.call(output.call(intermediate.call(layernorm_after.Normalize(x)))));
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention and its output projection.</summary>
internal sealed class VitAttention : Module<Tensor, Tensor>
{
    private readonly SelfAttention attention;
    private readonly VitOutput output;

    public VitAttention(VitConfig config, int layer) : base(nameof(VitAttention))
    {
        attention = new SelfAttention(config.ModelWidth, config.HeadsOf(layer), config.Dropout, config.QueryKeyValueBias,
            config.WidthOfHead);
        output = new VitOutput(config, config.HeadsOf(layer) * config.WidthOfHead);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var mixed = attention.call(x);
        return output.call(mixed);
    }
}

/// <summary>Output layer of a branch: W x + b.</summary>
internal sealed class VitOutput : Module<Tensor, Tensor>
{
    private readonly Dense dense;
    private readonly Dropout dropout;

    public VitOutput(VitConfig config, int inputs) : base(nameof(VitOutput))
    {
        dense = Initialization.Dense(inputs, config.ModelWidth);
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return dropout.call(dense.call(x)).MoveToOuterDisposeScope();
    }
}
