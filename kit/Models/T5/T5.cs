using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>T5, an encoder-decoder transformer for text-to-text tasks.</summary>
/// <remarks>
/// Raffel et al., 2020, https://arxiv.org/abs/1910.10683. Parameter names and layouts are those of the
/// published checkpoints; encoder and decoder share the token embeddings.
/// </remarks>
public sealed class T5 : Module<Tensor, Tensor, Tensor>
{
    private readonly EmbeddingTable shared;
    private readonly T5Stack encoder, decoder;
    private readonly Dense? lm_head;   // null if the output layer shares the embeddings' weight

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public T5(T5Config config) : base(nameof(T5))
    {
        Config = config.Validated();
        // The reference initializes the table with a standard deviation of 1: tied models scale the decoder's output
        // down by the root of the width.
        shared = new EmbeddingTable(config.VocabularySize, config.ModelWidth, deviation: 1) { Unembeds = config.TieEmbeddings };
        encoder = new T5Stack(config, config.Layers, isDecoder: false);
        decoder = new T5Stack(config, config.DecoderLayers ?? config.Layers, isDecoder: true);
        lm_head = config.TieEmbeddings ? null
            : Initialization.Dense(config.ModelWidth, config.VocabularySize, bias: false, Math.Pow(config.ModelWidth, -0.5));
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
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

    /// <summary>Returns the logits of the next token at each position of the target text.</summary>
    /// <param name="tokens">Source text, int64 [batch, source time].</param>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shapes or dtypes.</exception>
    public override Tensor forward(Tensor tokens, Tensor written) => Logits(tokens, written);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">Source text, int64 [batch, source time].</param>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <param name="attentionMask">
    /// [batch, source time], 0 = padding, which no token attends to; null for none.
    /// </param>
    public Tensor Logits(Tensor tokens, Tensor written, Tensor? attentionMask = null)
    {
        using var scope = NewDisposeScope();
        return Head(Decode(written, Encode(tokens, attentionMask), attentionMask)).MoveToOuterDisposeScope();
    }

    /// <summary>Runs the encoder: returns the representation of each source token.</summary>
    /// <param name="tokens">int64 [batch, source time].</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding; null for none.</param>
    /// <returns>[batch, source time, channels].</returns>
    public Tensor Encode(Tensor tokens, Tensor? attentionMask = null)
    {
        Require.Tokens(tokens, null, attentionMask);
        using var scope = NewDisposeScope();
        return encoder.Read(shared.call(tokens), new T5Pass(AttentionMask.OfTokens(attentionMask))).MoveToOuterDisposeScope();
    }

    /// <summary>Runs the decoder without its head: returns its normalised residual stream.</summary>
    /// <param name="written">Target text so far, int64 [batch, time], beginning with the start token.</param>
    /// <param name="memory">Output of <see cref="Encode"/>, [batch, source time, channels].</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding of the source; null for none.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Decode(Tensor written, Tensor memory, Tensor? attentionMask = null) =>
        Decode(written, new T5Pass(AttentionMask.CausalOnly, memory, AttentionMask.OfTokens(attentionMask)));

    /// <summary>Computes logits from the decoder's residual stream.</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features)
    {
        if (lm_head is not null) return lm_head.call(features);
        using var scope = NewDisposeScope();
        return shared.Unembed(features * Math.Pow(Config.ModelWidth, -0.5)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Returns the decoder's input for training on <paramref name="labels"/>: the start token, then all labels but
    /// the last.
    /// </summary>
    /// <param name="labels">int64 [batch, time]; -100 for positions without a label, which become padding.</param>
    /// <returns>int64 [batch, time].</returns>
    public Tensor ShiftRight(Tensor labels)
    {
        var (batch, time) = labels.Axes2("labels [batch, time]");
        using var scope = NewDisposeScope();
        var start = full([batch, 1], (long)Config.StartToken, int64, labels.device);
        var shifted = cat([start, labels.narrow(1, 0, time - 1)], 1);
        return shifted.masked_fill(shifted.eq(NoTarget.Value), Config.PaddingToken).MoveToOuterDisposeScope();
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
