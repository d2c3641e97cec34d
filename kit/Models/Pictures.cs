using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>What the networks for pictures have in common at their entrance.</summary>
internal static class Pictures
{
    /// <summary>Refuses what is not [batch, channels, height, width] of the right channels and at least some size.</summary>
    public static void Check(Tensor pictures, int channels, int smallest)
    {
        var (_, depth, height, width) = pictures.Axes4($"[batch, {channels}, height, width]");
        if (depth != channels)
            throw new ArgumentException($"Got pictures {pictures.ShapeText()} of {depth} channels; expected [batch, {channels}, height, width].", nameof(pictures));
        if (height < smallest || width < smallest)
            throw new ArgumentException($"Got pictures of {height} × {width}; this network needs at least {smallest} × {smallest}.", nameof(pictures));
    }

    /// <summary>From the normalisation of the other ImageNet networks (mean and deviation of each colour) to values from -1 to 1.</summary>
    /// <param name="pictures">[batch, 3, height, width].</param>
    public static Tensor FromImageNetToSigned(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        Tensor PerColour(double red, double green, double blue) =>
            tensor(new[] { red, green, blue }, pictures.dtype, pictures.device).view(1, 3, 1, 1);
        var deviation = PerColour(0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5);
        var mean = PerColour((0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5);
        return ((pictures * deviation) + mean).MoveToOuterDisposeScope();
    }
}
