using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>How the channels of a layer are weighed.</summary>
public enum ActivationWeights
{
    /// <summary>By the mean of each channel's gradient. Selvaraju et al., 2016, https://arxiv.org/abs/1610.02391.</summary>
    GradCam,

    /// <summary>
    /// Each place by its own gradient. Draelos and Carin, 2020, https://arxiv.org/abs/2011.08891; before its ReLU, and with a
    /// mean over places and a linear layer behind, it sums to the logit less the bias.
    /// </summary>
    HiResCam,

    /// <summary>Each place by the positive part of its own gradient. Jiang et al., 2021.</summary>
    LayerCam,
}

/// <summary>How a map is enlarged to the size of the input.</summary>
public enum Enlargement
{
    /// <summary>It keeps the size of the layer.</summary>
    None,

    /// <summary>Each value is repeated.</summary>
    Nearest,

    /// <summary>Values are interpolated, corners not aligned.</summary>
    Bilinear,
}

/// <summary>Where in a layer's maps the evidence for a class lies: channels weighed by gradients and added up.</summary>
public sealed record ClassActivationMap : AttributionMethod
{
    /// <summary>
    /// Name of the module whose output is used, [batch, channels, height, width], or [batch, tokens, channels] of a ViT.
    /// </summary>
    public required string At { get; init; }

    /// <summary>How the channels are weighed.</summary>
    public ActivationWeights Weights { get; init; }

    /// <summary>Whether negative values of the map are set to 0, as in the papers.</summary>
    public bool Relu { get; init; } = true;

    /// <summary>How the map is enlarged to the input.</summary>
    public Enlargement Enlarge { get; init; }

    /// <inheritdoc/>
    public override string Name => $"{Weights switch
    {
        ActivationWeights.HiResCam => "HiResCAM",
        ActivationWeights.LayerCam => "LayerCAM",
        _ => "Grad-CAM",
    }} at {At}";

    internal override Found Explain(Explained explained, Tensor input)
    {
        var (_, activation, gradient) = explained.GradientAt(At, input);
        if (activation.dim() == 3) (activation, gradient) = (Map(activation, input), Map(gradient, input));
        if (activation.dim() != 4)
            throw new ArgumentException($"'{At}' returns [{string.Join(", ", activation.shape)}]; expected maps [batch, "
                + "channels, height, "
                + "width] or the tokens of an image [batch, tokens, channels].");
        var weights = Weights switch
        {
            ActivationWeights.GradCam => gradient.mean([2, 3], keepdim: true),
            ActivationWeights.LayerCam => gradient.clamp_min(0),
            _ => gradient,
        };
        var map = (weights * activation).sum(1, keepdim: true);   // [batch, 1, height, width]
        if (Relu) map = map.relu();
        long[] size = [.. input.shape.TakeLast(2)];
        if (Enlarge != Enlargement.None)
            map = functional.interpolate(map, size: size,
                mode: Enlarge == Enlargement.Nearest ? InterpolationMode.Nearest : InterpolationMode.Bilinear,
                align_corners: Enlarge == Enlargement.Nearest ? null : false);
        return new Found(map);
    }

    /// <summary>
    /// The patch tokens of an image as maps with its ratio of height to width; a class token in front, or several, are left out.
    /// </summary>
    private Tensor Map(Tensor tokens, Tensor input)
    {
        var (height, width) = input.dim() == 4 ? (input.shape[2], input.shape[3]) : (1, 1);
        var common = (long)System.Numerics.BigInteger.GreatestCommonDivisor(height, width);
        (height, width) = (height / common, width / common);
        var times = (long)Math.Sqrt(tokens.shape[1] / (height * width));
        if (times == 0)
            throw new ArgumentException($"'{At}' returns {tokens.shape[1]} tokens, which are no grid of patches of images "
                + $"[{string.Join(", ", input.shape)}]; expected a multiple of {height} × {width}.");
        (height, width) = (height * times, width * times);
        var patches = tokens.narrow(1, tokens.shape[1] - (height * width), height * width);
        return patches.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], height, width);
    }
}
