using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A decoder-only transformer: from tokens to the logits of each next token.</summary>
/// <remarks>
/// Radford et al., 2019 (GPT-2). Parameter names and layouts are those of the published checkpoints; the output layer shares the
/// weight of the token embedding unless the configuration unties them.
/// </remarks>
public sealed class Gpt : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable wte;
    private readonly PositionalEncoding wpe;
    private readonly Dropout drop;
    private readonly ModuleList<GptBlock> h;
    private readonly LayerNorm ln_f;
    private readonly Linear? lm_head;   // null: tied to wte
    private readonly HookPoint hook_embed = new();   // [batch, time, channels], positions included

    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public Gpt(GptConfig config) : base(nameof(Gpt))
    {
        Config = config.Validated();
        wte = new EmbeddingTable(config.VocabularySize, config.ModelWidth);
        wpe = PositionalEncoding.Create(config.Positions, config.ContextLength, config.ModelWidth, config.Heads, deviation: 0.02);
        drop = Dropout(config.Dropout);
        h = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new GptBlock(config, layer, wpe))]);
        ln_f = LayerNorm(config.ModelWidth, config.NormEpsilon);
        if (!config.TiedEmbeddings)
        {
            lm_head = Linear(config.ModelWidth, config.VocabularySize, hasBias: false);
            init.normal_(lm_head.weight, 0, 0.02);
        }
        RegisterComponents();
    }

    /// <summary>The shape of the model.</summary>
    public GptConfig Config { get; }

    /// <summary>Logits of each next token.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Head(Features(tokens)).MoveToOuterDisposeScope();
    }

    /// <summary>The residual stream after the last layer, normalised: all but the head.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Features(Tensor tokens) => Read(tokens, null);

    /// <summary>From the final residual stream to logits.</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features) => lm_head is null ? wte.Scores(features) : lm_head.call(features);

    /// <summary>Logits of the next token alone; reads <paramref name="tokens"/> as what follows the tokens in the cache.</summary>
    /// <param name="tokens">int64 [batch, time], the new tokens.</param>
    /// <param name="cache">Keys and values of the tokens before; gets those of the new ones.</param>
    /// <returns>[batch, vocabulary].</returns>
    public Tensor Next(Tensor tokens, KeyValueCache cache)
    {
        using var scope = NewDisposeScope();
        return Head(Read(tokens, cache)[.., ^1]).MoveToOuterDisposeScope();
    }

    private Tensor Read(Tensor tokens, KeyValueCache? cache)
    {
        var start = cache?.Length ?? 0;
        CheckTokens(tokens, start);
        using var scope = NewDisposeScope();
        var x = hook_embed.call(drop.call(wpe.Embed(wte.call(tokens), start)));   // [batch, time, channels]
        foreach (var block in h) x = cache is null ? block.call(x) : block.Step(x, cache);
        cache?.Advance(tokens.shape[1]);
        return ln_f.Normalize(x).MoveToOuterDisposeScope();
    }

    private void CheckTokens(Tensor tokens, int start)
    {
        var (_, time) = tokens.Axes2("tokens [batch, time]");
        if (tokens.dtype != ScalarType.Int64) throw new ArgumentException($"Tokens are {tokens.dtype}; expected Int64.", nameof(tokens));
        if (time == 0) throw new ArgumentException("Got no token; expected at least 1.", nameof(tokens));
        if (start + time > Config.ContextLength)
            throw new ArgumentException($"Got {start + time} tokens; the context length is {Config.ContextLength}.", nameof(tokens));
    }
}
