using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>One reading of tokens by a decoder: where they stand, what they see, and what was read before.</summary>
/// <param name="Mask">Causal, without the padding.</param>
/// <param name="Start">Number of tokens read before.</param>
/// <param name="Positions">int64 [batch, time]; null where they are simply those from <paramref name="Start"/> on.</param>
/// <param name="Cache">Keys and values of the tokens before.</param>
internal sealed record DecoderPass(AttentionMask Mask, int Start, Tensor? Positions, KeyValueCache? Cache) : IPass<DecoderPass>
{
    /// <summary>How queries and keys are turned, where that is the same in all layers; null for none.</summary>
    public Rotation? Rotation { get; init; }

    /// <inheritdoc/>
    /// <remarks>Never with a cache: what is read twice must not be written into it twice.</remarks>
    public bool Recomputes { get => field && Cache is null; init; }

    /// <inheritdoc/>
    public IReadOnlyList<Tensor?> Tensors => [Mask.Padding, Rotation?.Cosine, Rotation?.Sine];

    /// <inheritdoc/>
    public DecoderPass With(IReadOnlyList<Tensor?> tensors) => this with
    {
        Mask = Mask with { Padding = tensors[0] },
        Rotation = Rotation is null ? null : new Rotation(tensors[1]!, tensors[2]!),
    };

    /// <summary>Whether tokens see no padding, stand at positions from 0, and no others were read before.</summary>
    public bool IsPlain => Cache is null && Mask.Padding is null;

    /// <summary>
    /// Whether a single token a row is read behind those of a cache and sees all of them, so that
    /// <see cref="KeyValueCache.Attend"/> can do its attention in one call. Somebody who counts operations gets the ordinary
    /// path.
    /// </summary>
    public bool IsOneToken { get; private init; }

    /// <summary>Tokens that see no padding, at positions from 0.</summary>
    public static DecoderPass Plain { get; } = new(AttentionMask.CausalOnly, 0, null, null);

    /// <summary>Whole texts: positions are those in the batch, whatever the mask.</summary>
    /// <param name="attentionMask">[batch, time], 0 = padding; null for none.</param>
    public static DecoderPass Whole(Tensor? attentionMask) =>
        attentionMask is null ? Plain : new(AttentionMask.OfTokens(attentionMask, causal: true), 0, null, null);

    /// <summary>What follows the tokens of a cache: positions count tokens only, no padding.</summary>
    /// <param name="time">Number of new tokens.</param>
    /// <param name="cache">What was read before.</param>
    /// <param name="attentionMask">[batch, before and time], 0 = padding; null for none.</param>
    public static DecoderPass After(long time, KeyValueCache cache, Tensor? attentionMask)
    {
        var mask = AttentionMask.OfTokens(attentionMask, causal: true);
        var positions = attentionMask is null ? null
            : (attentionMask.to(int64).cumsum(1) - 1).masked_fill(mask.Padding!, 1).narrow(1, cache.Length, time);
        return new(mask, cache.Length, positions, cache)
        {
            IsOneToken = time == 1 && cache.Length > 0 && attentionMask is null && !FlopTally.IsAsked && !is_grad_enabled(),
        };
    }

    /// <summary>Embeddings [batch, time, channels] that know their positions.</summary>
    public Tensor Embed(PositionalEncoding encoding, Tensor x) =>
        Positions is null ? encoding.Embed(x, Start) : encoding.Embed(x, Positions);

    /// <summary>Queries or keys [batch, head, time, d_head] that know their positions.</summary>
    public Tensor Rotate(PositionalEncoding encoding, Tensor x) =>
        Positions is null ? encoding.Rotate(x, Start) : encoding.Rotate(x, Positions);

    /// <summary>Position of each token, int64 [batch, time], or [time] for all rows alike.</summary>
    public Tensor PositionsOf(Tensor tokens) =>
        Positions ?? arange(Start, Start + tokens.shape[1], 1, int64, tokens.device);
}
