using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Canonical correlations of two sets of activations.</summary>
/// <param name="Coefficients">The correlations, largest first; as many as the smaller set has features.</param>
/// <param name="Pwcca">
/// Their mean weighted by how much of the smaller set each direction accounts for (Morcos et al., 2018).
/// </param>
/// <param name="XFeatures">Directions or features of the first set that took part.</param>
/// <param name="YFeatures">Directions or features of the second set that took part.</param>
public sealed record CcaResult(IReadOnlyList<double> Coefficients, double Pwcca, int XFeatures, int YFeatures)
{
    /// <summary>Mean of the correlations.</summary>
    public double Mean => Coefficients.Count == 0 ? 0 : Coefficients.Average();

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"canonical correlations of {XFeatures} and {YFeatures} directions: mean {Mean:0.###}, weighted {Pwcca:0.###}");
}

/// <summary>Canonical correlation analysis between two sets of activations, and its variants SVCCA and PWCCA.</summary>
/// <remarks>
/// Raghu et al., 2017, https://arxiv.org/abs/1706.05806; Morcos et al., 2018, https://arxiv.org/abs/1806.05759. The numbers are
/// those of the authors' code (google/svcca); computed in float64.
/// </remarks>
public static class Cca
{
    /// <summary>Computes the canonical correlations and PWCCA.</summary>
    /// <param name="x">Activations, [samples, features], with more samples than features.</param>
    /// <param name="y">Activations of the same samples, [samples, other features].</param>
    /// <param name="epsilon">
    /// Added to the diagonal of both covariances, each divided by its largest element; features with less variance than this are
    /// left out.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The shapes do not fit, there are too few samples, or a number is not finite.
    /// </exception>
    public static CcaResult Correlations(Tensor x, Tensor y, double epsilon = 1e-10)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b) = PairedSamples.Centered(x, y, 2);
        return Of(a, b, epsilon, (x.detach().to(float64).mean([0]), y.detach().to(float64).mean([0])));
    }

    /// <summary>
    /// SVCCA: correlations after each set was reduced to its largest singular directions.
    /// </summary>
    /// <param name="x">Activations, [samples, features].</param>
    /// <param name="y">Activations of the same samples, [samples, other features].</param>
    /// <param name="kept">The share of the sum of the singular values that is kept.</param>
    /// <param name="epsilon">As in <see cref="Correlations"/>.</param>
    /// <inheritdoc cref="Correlations" path="/exception"/>
    public static CcaResult Svcca(Tensor x, Tensor y, double kept = 0.99, double epsilon = 1e-10)
    {
        if (!(kept is > 0 and <= 1))
            throw new ArgumentException($"Got a share of {kept}; expected above 0 and at most 1.", nameof(kept));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b) = PairedSamples.Centered(x, y, 2);
        var (first, second) = (Reduced(a, kept), Reduced(b, kept));
        return Of(first, second, epsilon, (zeros_like(first[0]), zeros_like(second[0])));
    }

    /// <summary>The squared Procrustes distance: what is left after the best rotation of one set onto the other.</summary>
    /// <param name="x">Activations, [samples, features].</param>
    /// <param name="y">Activations of the same samples, [samples, other features].</param>
    /// <param name="normalized">
    /// Whether each set is divided by its Frobenius norm first; the distance is then from 0 to 2.
    /// </param>
    /// <inheritdoc cref="Correlations" path="/exception"/>
    public static double Procrustes(Tensor x, Tensor y, bool normalized = true)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (a, b) = PairedSamples.Centered(x, y, 2);
        if (normalized) (a, b) = (a / a.norm(), b / b.norm());
        var nuclear = linalg.svdvals(a.t().matmul(b)).sum();
        return (a.square().sum() + b.square().sum() - (2 * nuclear)).item<double>();
    }

    private static CcaResult Of(Tensor x, Tensor y, double epsilon, (Tensor X, Tensor Y) means)
    {
        var samples = (double)(x.shape[0] - 1);
        if (x.shape[1] >= x.shape[0] || y.shape[1] >= y.shape[0])
            throw new ArgumentException($"Got {x.shape[1]} and {y.shape[1]} features for {x.shape[0]} samples; canonical "
                + "correlations need "
                + "more samples than features.");
        var xx = x.t().matmul(x) / samples;
        var yy = y.t().matmul(y) / samples;
        var (xMost, yMost) = (xx.abs().max(), yy.abs().max());
        (xx, yy) = (xx / xMost, yy / yMost);
        var xy = x.t().matmul(y) / samples / (xMost * yMost).sqrt();
        var xUsed = (xx.diag().abs() >= epsilon).nonzero().flatten();
        var yUsed = (yy.diag().abs() >= epsilon).nonzero().flatten();
        if (xUsed.numel() == 0 || yUsed.numel() == 0) return new CcaResult([], 0, (int)xUsed.numel(), (int)yUsed.numel());
        xx = xx.index_select(0, xUsed).index_select(1, xUsed);
        yy = yy.index_select(0, yUsed).index_select(1, yUsed);
        xy = xy.index_select(0, xUsed).index_select(1, yUsed);
        var (u, s, vh) = linalg.svd(InverseRoot(xx, epsilon).matmul(xy).matmul(InverseRoot(yy, epsilon)), fullMatrices: true);
        var isXSmaller = xUsed.numel() <= yUsed.numel();
        var weights = isXSmaller ? Weights(x.index_select(1, xUsed), means.X.index_select(0, xUsed), u.t())
            : Weights(y.index_select(1, yUsed), means.Y.index_select(0, yUsed), vh);
        return new CcaResult(s.abs().data<double>().ToArray(), weights.dot(s.abs()).item<double>(), (int)xUsed.numel(),
            (int)yUsed.numel());
    }

    /// <summary>
    /// Weights of the directions as in the authors' code: the products of their orthogonal basis and each feature, summed. The
    /// means of the features count there, so that PWCCA changes when a constant is added to a feature.
    /// </summary>
    private static Tensor Weights(Tensor centered, Tensor means, Tensor directions)
    {
        var (basis, _) = linalg.qr(centered.matmul(directions.t()) + means);      // [samples, directions]
        var weights = basis.t().matmul(centered + means).abs().sum(dim: 1);
        return weights / weights.sum();
    }

    private static Tensor InverseRoot(Tensor covariance, double epsilon)
    {
        var identity = eye(covariance.shape[0], dtype: float64, device: covariance.device);
        var (values, vectors) = linalg.eigh(covariance + (epsilon * identity));
        // directions without variance have no inverse, as in the pseudo-inverse of numpy
        var root = where(values > values.abs().max() * 1e-15, values.clamp_min(1e-300).rsqrt(), zeros_like(values));
        return (vectors * root).matmul(vectors.t());
    }

    private static Tensor Reduced(Tensor centered, double kept)
    {
        var (u, s, _) = linalg.svd(centered, fullMatrices: false);
        var share = (s.cumsum(0) / s.sum()).data<double>().ToArray();
        var count = Math.Min(share.Count(part => part < kept) + 1, share.Length);
        return u.narrow(1, 0, count) * s.narrow(0, 0, count);
    }
}
