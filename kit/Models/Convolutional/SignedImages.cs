using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Images for the networks whose weights expect values from -1 to 1.</summary>
internal static class SignedImages
{
    /// <summary>
    /// Converts images from the normalization of the other ImageNet networks (mean and deviation of each color) to
    /// values from -1 to 1.
    /// </summary>
    /// <param name="images">[batch, 3, height, width].</param>
    public static Tensor FromImageNet(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (factor, offset) = Change(images.dtype, images.device);
        return ((images * factor) + offset).MoveToOuterDisposeScope();
    }

    /// <summary>Factor and offset of each color, [1, 3, 1, 1].</summary>
    internal static (Tensor Factor, Tensor Offset) Change(ScalarType dtype = ScalarType.Float32, Device? device = null)
    {
        Tensor PerColor(double red, double green, double blue)
        {
            using var flat = tensor(new[] { red, green, blue }, dtype, device);
            return flat.view(1, 3, 1, 1);
        }
        return (PerColor(0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5),
            PerColor((0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5));
    }
}
