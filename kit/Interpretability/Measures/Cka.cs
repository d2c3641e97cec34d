using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>How the independence criterion (HSIC) inside centered kernel alignment is estimated.</summary>
public enum HsicEstimator
{
    /// <summary>The plain sum, which is too high with few samples and many features.</summary>
    Biased,

    /// <summary>The unbiased estimate of Song et al., 2012; needs four samples or more.</summary>
    Unbiased,
}

/// <summary>
/// Centered kernel alignment: how similar two sets of activations of the same inputs are, 1 if one is a rotated and scaled copy
/// of the other.
/// </summary>
/// <remarks>Kornblith et al., 2019, https://arxiv.org/abs/1905.00414. Computed in float64.</remarks>
public static class Cka
{
    /// <summary>Linear CKA; no matrix of samples × samples is made.</summary>
    /// <param name="x">Activations, [samples, features].</param>
    /// <param name="y">Activations of the same samples, [samples, other features].</param>
    /// <param name="estimator">How it is estimated.</param>
    /// <returns>From 0 to 1; the unbiased estimate may lie slightly outside. NaN if a set is constant.</returns>
    /// <exception cref="ArgumentException">
    /// The shapes do not fit, there are too few samples, or a number is not finite.
    /// </exception>
    public static double Linear(Tensor x, Tensor y, HsicEstimator estimator = HsicEstimator.Biased)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b) = PairedSamples.Centered(x, y, estimator == HsicEstimator.Unbiased ? 4 : 2);
        var xy = Hsic(a, b, estimator);
        return xy / Math.Sqrt(Hsic(a, a, estimator) * Hsic(b, b, estimator));
    }

    /// <summary>CKA with a Gaussian kernel exp(-d² / (2 σ²)).</summary>
    /// <param name="x">Activations, [samples, features].</param>
    /// <param name="y">Activations of the same samples, [samples, other features].</param>
    /// <param name="bandwidth">
    /// σ² is its square times the median of all squared distances within the set, those of a sample to itself included.
    /// </param>
    /// <param name="estimator">How it is estimated.</param>
    /// <inheritdoc cref="Linear" path="/returns"/>
    /// <inheritdoc cref="Linear" path="/exception"/>
    public static double Rbf(Tensor x, Tensor y, double bandwidth = 1, HsicEstimator estimator = HsicEstimator.Biased)
    {
        if (!(bandwidth > 0))
            throw new ArgumentException($"Got a bandwidth of {bandwidth}; expected one above 0.", nameof(bandwidth));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b) = PairedSamples.Centered(x, y, estimator == HsicEstimator.Unbiased ? 4 : 2);
        var k = Kernel(a, bandwidth);
        var l = Kernel(b, bandwidth);
        return KernelHsic(k, l, estimator) / Math.Sqrt(KernelHsic(k, k, estimator) * KernelHsic(l, l, estimator));
    }

    /// <summary>HSIC of linear kernels from centered features, up to a factor that cancels in CKA.</summary>
    private static double Hsic(Tensor x, Tensor y, HsicEstimator estimator)
    {
        var product = x.t().matmul(y).square().sum().item<double>();
        if (estimator == HsicEstimator.Biased) return product;
        // Kornblith's form of the unbiased estimate: the diagonals of both Gram matrices leave the sum
        double n = x.shape[0];
        var xRows = x.square().sum(dim: 1);
        var yRows = y.square().sum(dim: 1);
        return product - (n / (n - 2) * xRows.dot(yRows).item<double>())
            + (xRows.sum().item<double>() * yRows.sum().item<double>() / ((n - 1) * (n - 2)));
    }

    private static double KernelHsic(Tensor k, Tensor l, HsicEstimator estimator)
    {
        double n = k.shape[0];
        if (estimator == HsicEstimator.Biased)
        {
            var centered = k - k.mean([0], keepdim: true) - k.mean([1], keepdim: true) + k.mean();
            return (centered * l).sum().item<double>();
        }
        var (a, b) = (k - k.diag().diag(), l - l.diag().diag());
        var (aRows, bRows) = (a.sum(dim: 1), b.sum(dim: 1));
        return (a * b).sum().item<double>() - (2 / (n - 2) * aRows.dot(bRows).item<double>())
            + (aRows.sum().item<double>() * bRows.sum().item<double>() / ((n - 1) * (n - 2)));
    }

    private static Tensor Kernel(Tensor x, double bandwidth)
    {
        var norms = x.square().sum(dim: 1);
        var distances = (norms.unsqueeze(1) + norms.unsqueeze(0) - (2 * x.matmul(x.t()))).clamp_min(0);
        distances = distances - distances.diag().diag();                                // no sample is away from itself
        var sorted = distances.flatten().sort().Values;
        var (low, high) = (sorted[(sorted.numel() - 1) / 2], sorted[sorted.numel() / 2]);   // their mean is the median
        return (distances / (-(low + high) * bandwidth * bandwidth)).exp();
    }
}
