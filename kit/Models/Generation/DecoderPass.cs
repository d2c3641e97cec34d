using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Inputs of a decoder's forward pass besides the tokens: mask, positions and key-value cache.
/// </summary>
/// <param name="Mask">Causal mask, combined with the padding mask.</param>
/// <param name="Start">Number of earlier tokens in the cache.</param>
/// <param name="Positions">
/// Positions, int64 [batch, time]; null if they count up from <paramref name="Start"/>.
/// </param>
/// <param name="Cache">Keys and values of the earlier tokens; null for none.</param>
internal sealed record DecoderPass(AttentionMask Mask, int Start, Tensor? Positions, KeyValueCache? Cache) : IPass<DecoderPass>
{
    /// <summary>Keys and values of the tokens before <see cref="Start"/>, without a cache; null for none.</summary>
    public EarlierTokens? Earlier { get; init; }

    /// <summary>How queries and keys are turned, where that is the same in all layers; null for none.</summary>
    public Rotation? Rotation { get; init; }

    /// <summary>
    /// Values of the first layer, [batch, head, time, d_head], for layers that mix them into theirs; null for none.
    /// </summary>
    public Tensor? FirstValues { get; init; }

    /// <inheritdoc/>
    /// <remarks>Never with a cache: what is read twice must not be written into it twice.</remarks>
    public bool Recomputes { get => field && Cache is null; init; }

    /// <inheritdoc/>
    public IReadOnlyList<Tensor?> Tensors => [Mask.Padding, Rotation?.Cosine, Rotation?.Sine, FirstValues];

    /// <inheritdoc/>
    public DecoderPass With(IReadOnlyList<Tensor?> tensors) => this with
    {
        Mask = Mask with { Padding = tensors[0] },
        Rotation = Rotation is null ? null : new Rotation(tensors[1]!, tensors[2]!),
        FirstValues = tensors[3],
    };

    /// <summary>Whether tokens see no padding, stand at positions from 0, and no others were read before.</summary>
    public bool IsPlain => Cache is null && Mask.Padding is null && Earlier is null && FirstValues is null;

    /// <summary>
    /// Whether one token per row is processed with a non-empty cache and attends to all of it, so that
    /// <see cref="KeyValueCache.Attend"/> can compute the attention in one call. While FLOPs are counted, the
    /// ordinary path is taken.
    /// </summary>
    public bool IsOneToken { get; private init; }

    /// <summary>A pass without padding, with positions from 0.</summary>
    public static DecoderPass Plain { get; } = new(AttentionMask.CausalOnly, 0, null, null);

    /// <summary>Makes a pass over whole texts. Positions are the indexes in the batch, including padding.</summary>
    /// <param name="attentionMask">[batch, time], 0 = padding; null for none.</param>
    public static DecoderPass Whole(Tensor? attentionMask) =>
        attentionMask is null ? Plain : new(AttentionMask.OfTokens(attentionMask, causal: true), 0, null, null);

    /// <summary>Makes a pass over tokens that follow those in a cache. Positions do not count padding.</summary>
    /// <param name="time">Number of new tokens.</param>
    /// <param name="cache">Keys and values of the earlier tokens.</param>
    /// <param name="attentionMask">[batch, cached and new tokens], 0 = padding; null for none.</param>
    public static DecoderPass After(long time, KeyValueCache cache, Tensor? attentionMask)
    {
        var mask = AttentionMask.OfTokens(attentionMask, causal: true);
        var positions = attentionMask is null ? null
            : (attentionMask.to(int64).cumsum(1) - 1).masked_fill(mask.Padding!, 1).narrow(1, cache.Length, time);
        return new(mask, cache.Length, positions, cache)
        {
            IsOneToken = time == 1 && cache.Length > 0 && !cache.IsInt8 && attentionMask is null && !FlopTally.IsAsked
                && !is_grad_enabled(),
        };
    }

    /// <summary>Adds positions to embeddings [batch, time, channels], if the encoding acts there.</summary>
    public Tensor Embed(PositionalEncoding encoding, Tensor x) =>
        Positions is null ? encoding.Embed(x, Start) : encoding.Embed(x, Positions);

    /// <summary>
    /// Applies positions to queries or keys [batch, head, time, d_head], if the encoding acts there.
    /// </summary>
    public Tensor Rotate(PositionalEncoding encoding, Tensor x) =>
        Positions is null ? encoding.Rotate(x, Start) : encoding.Rotate(x, Positions);

    /// <summary>
    /// Returns the position of each token, int64 [batch, time], or [time] if they are the same for all rows.
    /// </summary>
    public Tensor PositionsOf(Tensor tokens) =>
        Positions ?? arange(Start, Start + tokens.shape[1], 1, int64, tokens.device);
}
