using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>What every model of texts asks of its input.</summary>
internal static class TokenChecks
{
    /// <param name="tokens">Should be int64 [batch, time], with at least one token.</param>
    /// <param name="contextLength">The most tokens, those before included; null for any number.</param>
    /// <param name="attentionMask">Null, or should be [batch, time] with those before.</param>
    /// <param name="before">Tokens that were read before.</param>
    public static void Check(Tensor tokens, int? contextLength, Tensor? attentionMask = null, int before = 0)
    {
        var (batch, time) = tokens.Axes2("tokens [batch, time]");
        if (tokens.dtype != ScalarType.Int64) throw new ArgumentException($"Tokens are {tokens.dtype}; expected Int64.", nameof(tokens));
        if (time == 0) throw new ArgumentException("Got no token; expected at least 1.", nameof(tokens));
        if (before + time > contextLength)
            throw new ArgumentException($"Got {before + time} tokens; the context length is {contextLength}.", nameof(tokens));
        if (attentionMask is not null && !attentionMask.shape.SequenceEqual([batch, before + time]))
            throw new ArgumentException($"The attention mask is {attentionMask.ShapeText()}; expected [{batch}, {before + time}], "
                + "a number for each token.", nameof(attentionMask));
    }
}
