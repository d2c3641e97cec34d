using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>How the codes of a weight are chosen on the grid of a scheme.</summary>
public abstract record Rounding
{
    private protected Rounding()
    {
    }

    /// <summary>Each weight to its nearest code, with a grid that covers all weights.</summary>
    public static Rounding Nearest { get; } = new NearestRounding();

    /// <summary>Whether <see cref="Quantize"/> needs the inputs' second moments.</summary>
    public virtual bool NeedsInputs => false;

    /// <summary>Checks the settings, and that the method can use a scheme.</summary>
    /// <exception cref="ArgumentException">A setting is out of range, or the method has no use for the scheme.</exception>
    internal virtual void Check(QuantizationScheme scheme)
    {
    }

    /// <summary>Quantizes a weight.</summary>
    /// <param name="weight">Floating-point [out, ...]; other axes are flattened. It is not changed.</param>
    /// <param name="scheme">The grid.</param>
    /// <param name="inputs">What the layer reads; null where <see cref="NeedsInputs"/> is false.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// The scheme does not fit the weight, a weight is not finite, or the inputs are missing or of another size.
    /// </exception>
    public abstract QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null);
}

/// <summary>Rounds to the nearest code.</summary>
public sealed record NearestRounding : Rounding
{
    /// <inheritdoc/>
    public override QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null) =>
        QuantizedTensor.Round(weight, scheme);
}

/// <summary>
/// Rounds to the nearest code of a grid that may clip the largest weights: the range of each group is shrunk where that
/// makes the error smaller.
/// </summary>
/// <remarks>The search of GPTQ's reference code: Frantar et al., 2022, https://arxiv.org/abs/2210.17323.</remarks>
public sealed record ClipSearch : Rounding
{
    /// <summary>Ranges that are tried: 1, 1 − 1/<see cref="Parts"/>, 1 − 2/<see cref="Parts"/> …</summary>
    public int Steps { get; init; } = 80;

    /// <summary>Parts that the full range is divided into.</summary>
    public int Parts { get; init; } = 100;

    /// <summary>Power of the absolute error that is summed.</summary>
    public double Exponent { get; init; } = 2.4;

    /// <inheritdoc/>
    public override QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var groups = QuantizedTensor.Groups(weight, scheme);
        return QuantizedTensor.Round(weight, groups, Search(scheme, groups));
    }

    /// <inheritdoc/>
    internal override void Check(QuantizationScheme scheme)
    {
        Require.That(Steps >= 1 && Steps <= Parts, Steps, nameof(Steps), $"1 to {nameof(Parts)}, {Parts}");
        Require.Positive(Exponent);
    }

    /// <summary>Finds the grid of each group.</summary>
    internal QuantizationGrid Search(QuantizationScheme scheme, Tensor groups)
    {
        Check(scheme);
        var best = QuantizationGrid.Covering(scheme, groups);
        if (scheme.Granularity == ScaleGranularity.Tensor) groups = groups.reshape(1, 1, -1);
        var least = full_like(best.Scales, float.PositiveInfinity);
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var tried = QuantizationGrid.Covering(scheme, groups, 1 - ((double)step / Parts));
            var error = (tried.Values(tried.Codes(groups)) - groups).abs_().pow_(Exponent).sum(dim: -1, keepdim: true);
            var isBetter = error < least;
            least.copy_(minimum(least, error));
            best.Scales.copy_(where(isBetter, tried.Scales, best.Scales));
            best.ZeroPoints?.copy_(where(isBetter, tried.ZeroPoints!, best.ZeroPoints));
        }
        return best;
    }
}
