using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Shows tensors as what they mean: features of sound, tokens with their texts.</summary>
public static class TensorPictures
{
    /// <summary>Shows features of sound as people know them: time to the right, low pitch at the bottom.</summary>
    /// <param name="features">
    /// [frames, bands], such as <c>MelFeatures.LogMel</c> returns for one clip; a batch of one also.
    /// </param>
    /// <param name="secondsPerFrame">Hop length over sample rate; 0 if it is not known.</param>
    /// <param name="title">What it is.</param>
    /// <param name="unit">The unit of the numbers.</param>
    /// <exception cref="ArgumentException">Another shape.</exception>
    public static Spectrogram AsSpectrogram(this Tensor features, double secondsPerFrame = 0, string title = "log-mel",
        string unit = "nats")
    {
        ArgumentNullException.ThrowIfNull(features);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var plane = features.dim() == 3 && features.shape[0] == 1 ? features[0] : features;
        if (plane.dim() != 2)
            throw new ArgumentException($"Got features {features.ShapeText()}; expected [frames, bands].", nameof(features));
        var flat = TensorStatisticsPieces.Doubles(plane.detach());
        var values = new double[plane.shape[0], plane.shape[1]];
        Buffer.BlockCopy(flat, 0, values, 0, flat.Length * sizeof(double));
        return new Spectrogram(title, unit, values) { SecondsPerFrame = secondsPerFrame };
    }

    /// <summary>Shows tokens with their texts.</summary>
    /// <param name="tokens">int64 [time] or [batch, time].</param>
    /// <param name="decode">Text of a token, such as <c>id =&gt; tokenizer.Decode([id])</c>.</param>
    /// <exception cref="ArgumentException">Another shape or dtype.</exception>
    public static DecodedTokens WithText(this Tensor tokens, Func<long, string> decode)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(decode);
        if (tokens.dim() is not (1 or 2) || tokens.dtype != ScalarType.Int64)
            throw new ArgumentException($"Got {tokens.ShapeText()} of {tokens.dtype}; expected tokens, int64 [time] or "
                + "[batch, time].",
                nameof(tokens));
        using var scope = NewDisposeScope();
        var rows = tokens.dim() == 1 ? tokens.unsqueeze(0) : tokens;
        var ids = rows.cpu().contiguous().data<long>().ToArray();
        var time = (int)rows.shape[1];
        return new DecodedTokens([.. Enumerable.Range(0, (int)rows.shape[0]).Select(row =>
            ids.AsSpan(row * time, time).ToArray().Select(id => new DecodedToken(id, decode(id))).ToList())]);
    }
}
