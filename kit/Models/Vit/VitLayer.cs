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
    private readonly LayerNormalization layernorm;

    public VitEncoder(VitConfig config) : base(nameof(VitEncoder))
    {
        embeddings = new VitEmbeddings(config);
        encoder = new VitLayers(config);
        layernorm = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
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
        return layernorm.call(encoder.call(embeddings.call(images))).MoveToOuterDisposeScope();
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
    private readonly LayerNormalization layernorm_before, layernorm_after;
    private readonly VitAttention attention;
    private readonly IntermediateDense intermediate;
    private readonly VitOutput output;
    // [batch, 1 + patches, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    // [batch, 1 + patches, channels]
    private readonly HookPoint hook_attn_in = new(), hook_attn_out = new(), hook_mlp_in = new(), hook_mlp_out = new();

    public VitLayer(VitConfig config, int layer) : base(nameof(VitLayer))
    {
        layernorm_before = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
        attention = new VitAttention(config, layer);
        layernorm_after = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
        intermediate = new IntermediateDense(config.ModelWidth, config.FeedForwardWidthOf(layer), config.Activation);
        output = new VitOutput(config, config.FeedForwardWidthOf(layer));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.Pass(x);
        x = hook_resid_mid.Pass(x + hook_attn_out.Pass(attention.call(layernorm_before.call(hook_attn_in.Pass(x)))));
        var mlp = output.call(intermediate.call(layernorm_after.call(hook_mlp_in.Pass(x))));
        return hook_resid_post.Pass(x + hook_mlp_out.Pass(mlp)).MoveToOuterDisposeScope();
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
