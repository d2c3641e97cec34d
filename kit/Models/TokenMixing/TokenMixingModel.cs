using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// A language model for comparing architectures, in which the token-mixing layer and the MLP or mixture of
/// experts can be exchanged.
/// </summary>
/// <remarks>
/// Everything else is the same: learned positions, pre-norm layers with RMS norms and gated MLPs, and an output
/// layer that shares the embedding's weight. For comparing architectures at equal size; not a published model.
/// </remarks>
public sealed class TokenMixingModel : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable embed_tokens;
    private readonly LearnedPositions positions;
    private readonly ModuleList<TokenMixingLayer> layers;
    private readonly RmsNorm norm;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public TokenMixingModel(TokenMixingConfig config) : base(nameof(TokenMixingModel))
    {
        Config = config.Validated();
        embed_tokens = new EmbeddingTable(config.VocabularySize, config.ModelWidth) { Unembeds = true };
        positions = new LearnedPositions(config.ContextLength, config.ModelWidth);
        layers = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new TokenMixingLayer(config, layer))]);
        norm = new RmsNorm(config.ModelWidth);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public TokenMixingConfig Config { get; }

    /// <summary>Returns the logits of the next token at each position.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens)
    {
        Require.Tokens(tokens, Config.ContextLength);
        using var scope = NewDisposeScope();
        var x = positions.Embed(embed_tokens.call(tokens), 0);   // [batch, time, channels]
        foreach (var layer in layers) x = layer.call(x);
        return embed_tokens.Unembed(norm.call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>One layer: x ← x + mixer(norm(x)); x ← x + mlp(norm(x)).</summary>
internal sealed class TokenMixingLayer : Module<Tensor, Tensor>
{
    private readonly RmsNorm mixer_norm, mlp_norm;
    private readonly Module<Tensor, Tensor> mixer, mlp;
    // [batch, time, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();

    public TokenMixingLayer(TokenMixingConfig config, int layer) : base(nameof(TokenMixingLayer))
    {
        mixer_norm = new RmsNorm(config.ModelWidth);
        mlp_norm = new RmsNorm(config.ModelWidth);
        mixer = Mixer(config, layer);
        mlp = config.Experts == 1 ? new GatedMlp(config.ModelWidth, config.FeedForwardWidth)
            : new MixtureOfExperts(config.ModelWidth, config.FeedForwardWidth, config.Experts, config.ActiveExperts);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_pre.call(x);
        x = hook_resid_mid.call(x + mixer.call(mixer_norm.call(x)));
        x = hook_resid_post.call(x + mlp.call(mlp_norm.call(x)));
        return x.MoveToOuterDisposeScope();
    }

    private static Module<Tensor, Tensor> Mixer(TokenMixingConfig config, int layer)
    {
        var width = config.ModelWidth;
        var heads = config.Heads;
        return config.Mixing switch
        {
            TokenMixing.MultiHead => new GroupedQueryAttention(width, heads, heads),
            TokenMixing.GroupedQuery => new GroupedQueryAttention(width, heads, heads % 2 == 0 ? heads / 2 : 1),
            TokenMixing.MultiQuery => new GroupedQueryAttention(width, heads, 1),
            TokenMixing.SlidingWindow => new GroupedQueryAttention(width, heads, heads, Math.Max(1, config.ContextLength / 4)),
            TokenMixing.Differential => new DifferentialAttention(width, heads, layer),
            TokenMixing.Latent => new LatentAttention(new LatentAttentionSizes
            {
                Width = width,
                Heads = heads,
                QueryRank = width / 2,
                KeyValueRank = width / 2,
                PlainWidth = width / heads / 2,
                RotaryWidth = width / heads / 2,
                ValueWidth = width / heads,
            }),
            TokenMixing.Linear => new LinearAttention(width, heads),
            TokenMixing.StateSpace => new SelectiveStateSpace(width),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.Mixing, "Not a known token mixing."),
        };
    }
}
