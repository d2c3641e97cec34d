using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>An encoder-decoder: reads one text and writes another.</summary>
/// <remarks>
/// Raffel et al., 2020, https://arxiv.org/abs/1910.10683. Parameter names and layouts are those of the published checkpoints;
/// both sides share one table of token embeddings.
/// </remarks>
public sealed class T5 : Module<Tensor, Tensor, Tensor>
{
    private readonly EmbeddingTable shared;
    private readonly T5Stack encoder, decoder;
    private readonly Dense? lm_head;   // null where the output layer is the shared table

    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public T5(T5Config config) : base(nameof(T5))
    {
        Config = config.Validated();
        // The reference starts the table with a deviation of 1: what tied models read is divided by the root of the width.
        shared = new EmbeddingTable(config.VocabularySize, config.ModelWidth, deviation: 1) { Unembeds = config.TieEmbeddings };
        encoder = new T5Stack(config, config.Layers, isDecoder: false);
        decoder = new T5Stack(config, config.DecoderLayers ?? config.Layers, isDecoder: true);
        lm_head = config.TieEmbeddings ? null
            : Initialization.Dense(config.ModelWidth, config.VocabularySize, bias: false, Math.Pow(config.ModelWidth, -0.5));
        RegisterComponents();
    }

    /// <summary>The shape of the model.</summary>
    public T5Config Config { get; }

    /// <inheritdoc cref="Gpt.RecomputesBlocks"/>
    public bool RecomputesBlocks
    {
        get => encoder.RecomputesBlocks;
        set
        {
            encoder.RecomputesBlocks = value;
            decoder.RecomputesBlocks = value;
        }
    }

    /// <summary>Logits of each next token of the text that is written.</summary>
    /// <param name="tokens">int64 [batch, source time], the text that is read.</param>
    /// <param name="written">int64 [batch, time], the text so far, from the start token on.</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shapes or dtypes.</exception>
    public override Tensor forward(Tensor tokens, Tensor written) => Logits(tokens, written);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">int64 [batch, source time], the text that is read.</param>
    /// <param name="written">int64 [batch, time], the text so far, from the start token on.</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding, which no token sees; null for none.</param>
    public Tensor Logits(Tensor tokens, Tensor written, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        return Head(Decode(written, Encode(tokens, attentionMask), attentionMask)).MoveToOuterDisposeScope();
    }

    /// <summary>What each token of the source means.</summary>
    /// <param name="tokens">int64 [batch, source time].</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding; null for none.</param>
    /// <returns>[batch, source time, channels].</returns>
    public Tensor Encode(Tensor tokens, Tensor? attentionMask = null)
    {
        Require.Tokens(tokens, null, attentionMask);
        using var scope = NewDisposeScope();
        return encoder.Read(shared.call(tokens), new T5Pass(AttentionMask.OfTokens(attentionMask))).MoveToOuterDisposeScope();
    }

    /// <summary>The residual stream of the text that is written, normalised: all but the head.</summary>
    /// <param name="written">int64 [batch, time], from the start token on.</param>
    /// <param name="memory">What <see cref="Encode"/> gave, [batch, source time, channels].</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding of the source; null for none.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Decode(Tensor written, Tensor memory, Tensor? attentionMask = null) =>
        Decode(written, new T5Pass(AttentionMask.CausalOnly, memory, AttentionMask.OfTokens(attentionMask)));

    /// <summary>From the decoder's residual stream to logits.</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features)
    {
        if (lm_head is not null) return lm_head.call(features);
        using var scope = NewDisposeScope();
        return shared.Unembed(features * Math.Pow(Config.ModelWidth, -0.5)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What the decoder gets where it should write <paramref name="labels"/>: the start token, then all but the last.
    /// </summary>
    /// <param name="labels">int64 [batch, time]; -100 where there is none, which becomes padding.</param>
    /// <returns>int64 [batch, time].</returns>
    public Tensor ShiftRight(Tensor labels)
    {
        var (batch, time) = labels.Axes2("labels [batch, time]");
        using var scope = NewDisposeScope();
        var start = full([batch, 1], (long)Config.StartToken, int64, labels.device);
        var shifted = cat([start, labels.narrow(1, 0, time - 1)], 1);
        return shifted.masked_fill(shifted.eq(-100), Config.PaddingToken).MoveToOuterDisposeScope();
    }

    internal Tensor Decode(Tensor written, T5Pass pass)
    {
        Require.Tokens(written, null);
        if (written.shape[0] != pass.Memory!.shape[0] && pass.Cache is not { Length: > 0 })
            throw new ArgumentException($"Got {written.shape[0]} texts to write for {pass.Memory.shape[0]} to read.",
                nameof(written));
        using var scope = NewDisposeScope();
        return decoder.Read(shared.call(written), pass).MoveToOuterDisposeScope();
    }
}
