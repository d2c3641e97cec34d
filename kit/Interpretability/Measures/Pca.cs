using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Principal components of activations or embeddings.</summary>
/// <remarks>
/// The signs are those of scikit-learn with its full solver: the largest of a component's scores is positive. Computed in
/// float64.
/// </remarks>
public sealed class Pca : IDisposable
{
    private Pca(Tensor mean, Tensor components)
    {
        Mean = mean;
        Components = components;
    }

    /// <summary>Mean of the samples, float64 [features].</summary>
    public Tensor Mean { get; }

    /// <summary>Directions of length 1, float64 [components, features].</summary>
    public Tensor Components { get; }

    /// <summary>Variance along each direction, with divisor samples - 1.</summary>
    public required IReadOnlyList<double> ExplainedVariance { get; init; }

    /// <summary>Share of the whole variance.</summary>
    public required IReadOnlyList<double> ExplainedVarianceRatio { get; init; }

    /// <summary>Singular values of the centered samples.</summary>
    public required IReadOnlyList<double> SingularValues { get; init; }

    /// <summary>Computes the components.</summary>
    /// <param name="samples">[samples, features].</param>
    /// <param name="components">How many; at most the smaller of samples and features.</param>
    /// <returns>The components; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">Another shape, fewer than two samples, or a number that is not finite.</exception>
    public static Pca Fit(Tensor samples, int components = 2)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.dim() != 2 || samples.shape[0] < 2 || components < 1
            || components > Math.Min(samples.shape[0], samples.shape[1]))
            throw new ArgumentException($"Got {samples.ShapeText()} and {components} components; expected [samples, features] "
                + "of two samples "
                + "or more, and at most as many components as samples and features.", nameof(samples));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var wide = samples.detach().to(float64);
        if (!wide.isfinite().all().item<bool>())
            throw new ArgumentException("The samples contain NaN or infinity.", nameof(samples));
        var mean = wide.mean([0]);
        var (u, s, vh) = linalg.svd(wide - mean, fullMatrices: false);
        var signs = u.gather(0, u.abs().argmax(0, keepdim: true)).sign().squeeze(0);
        var variances = s.square() / (wide.shape[0] - 1);
        double[] First(Tensor values) => values.narrow(0, 0, components).cpu().data<double>().ToArray();
        return new Pca(mean.MoveToOuterDisposeScope(), (vh * signs.unsqueeze(1))
            .narrow(0, 0, components).clone().MoveToOuterDisposeScope())
        {
            ExplainedVariance = First(variances),
            ExplainedVarianceRatio = First(variances / variances.sum()),
            SingularValues = First(s),
        };
    }

    /// <summary>Projects samples on the components.</summary>
    /// <param name="samples">[samples, features].</param>
    /// <param name="whiten">Whether each component is scaled to variance 1.</param>
    /// <returns>float64 [samples, components]; the caller disposes it.</returns>
    public Tensor Transform(Tensor samples, bool whiten = false)
    {
        ArgumentNullException.ThrowIfNull(samples);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var scores = (samples.detach().to(float64) - Mean).matmul(Components.t());
        if (whiten) scores = scores / tensor(ExplainedVariance.ToArray(), device: scores.device).sqrt();
        return scores.MoveToOuterDisposeScope();
    }

    /// <summary>Makes a map of labelled vectors on their first two components.</summary>
    /// <param name="vectors">[items, features], such as the token embedding.</param>
    /// <param name="labels">Text of each item.</param>
    /// <param name="groups">Group of each item, which gives its color; null for one group.</param>
    /// <param name="title">Title.</param>
    /// <exception cref="ArgumentException">Another shape, or another number of labels or groups.</exception>
    public static PointMap Map(Tensor vectors, IReadOnlyList<string> labels, IReadOnlyList<string>? groups = null,
        string title = "embeddings")
    {
        ArgumentNullException.ThrowIfNull(labels);
        using var pca = Fit(vectors, 2);
        using var scores = pca.Transform(vectors);
        using var host = scores.cpu();
        var flat = host.data<double>().ToArray();
        var points = new double[flat.Length / 2, 2];
        Buffer.BlockCopy(flat, 0, points, 0, flat.Length * sizeof(double));
        string Axis(int component) =>
            FormattableString.Invariant($"component {component + 1} ({100 * pca.ExplainedVarianceRatio[component]:0.0} %)");
        return new PointMap(title, labels, points) { XAxis = Axis(0), YAxis = Axis(1), Groups = groups };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        Components.Dispose();
    }
}
