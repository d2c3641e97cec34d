using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>A decoder that can run from the middle: from any layer on, and from any position on.</summary>
internal interface ILayeredDecoder
{
    /// <summary>Number of layers.</summary>
    int LayerCount { get; }

    /// <summary>The residual stream before the first layer, in the current dispose scope.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    Tensor Begin(Tensor tokens);

    /// <summary>A pass over the tokens from a position on.</summary>
    /// <param name="start">Position of the first token.</param>
    /// <param name="time">Number of tokens.</param>
    /// <param name="stream">Any residual stream, for dtype and device.</param>
    /// <param name="earlier">Keys and values of the tokens before; null if <paramref name="start"/> is 0.</param>
    DecoderPass PassFrom(int start, long time, Tensor stream, EarlierTokens? earlier);

    /// <summary>Runs one layer.</summary>
    /// <param name="layer">Its index, from 0.</param>
    /// <param name="stream">Residual stream, [batch, time, channels].</param>
    /// <param name="pass">Masks, positions and earlier tokens.</param>
    /// <returns>[batch, time, channels].</returns>
    Tensor RunLayer(int layer, Tensor stream, DecoderPass pass);

    /// <summary>Computes the queries, keys and values of a layer alone, without their hooks.</summary>
    /// <inheritdoc cref="RunLayer"/>
    /// <returns>[batch, head, time, d_head], and twice [batch, key head, time, d_head].</returns>
    (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(int layer, Tensor stream, DecoderPass pass);

    /// <summary>Computes logits from the residual stream after the last layer: norm and output layer.</summary>
    Tensor Finish(Tensor stream);
}
