using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Checks of two sets of activations of the same samples.</summary>
internal static class PairedSamples
{
    /// <summary>Returns both sets in float64 with columns of mean zero; the caller disposes them.</summary>
    /// <param name="x">[samples, features].</param>
    /// <param name="y">[samples, other features].</param>
    /// <param name="least">The least number of samples.</param>
    public static (Tensor X, Tensor Y) Centered(Tensor x, Tensor y, int least)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.dim() != 2 || y.dim() != 2 || x.shape[0] != y.shape[0])
            throw new ArgumentException($"Got activations {x.ShapeText()} and {y.ShapeText()}; expected [samples, features] "
                + "of the same "
                + "samples.");
        if (x.shape[0] < least || x.shape[1] == 0 || y.shape[1] == 0)
            throw new ArgumentException($"Got activations {x.ShapeText()} and {y.ShapeText()}; expected {least} samples or "
                + "more, and "
                + "features.");
        return (Centered(x, nameof(x)), Centered(y, nameof(y)));
    }

    private static Tensor Centered(Tensor values, string name)
    {
        var wide = values.detach().to(float64);
        if (!wide.isfinite().all().item<bool>())
            throw new ArgumentException($"The activations {name} contain NaN or infinity.", name);
        return wide - wide.mean([0], keepdim: true);
    }
}
