using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Principal component analysis (PCA) by a singular value decomposition, in float64.</summary>
/// <remarks>
/// scikit-learn's <c>PCA</c>. The sign of a component makes the largest score of the training rows positive.
/// </remarks>
public sealed class PrincipalComponents
{
    private readonly double[][] axes;       // [component][feature]
    private readonly double[] mean;
    private readonly double[] scales;

    private PrincipalComponents(double[][] axes, double[] mean, double[] singularValues, double total, int rows, bool whiten,
        IReadOnlyList<string> names)
    {
        this.axes = axes;
        this.mean = mean;
        FeatureNames = names;
        SingularValues = singularValues;
        ExplainedVariance = Array.ConvertAll(singularValues, value => value * value / (rows - 1));
        ExplainedVarianceRatio = [.. ExplainedVariance.Select(variance => variance / total)];
        scales = [.. ExplainedVariance.Select(variance => whiten ? Math.Sqrt(variance) : 1)];
    }

    /// <summary>Finds the directions in which rows vary most.</summary>
    /// <param name="x">Finite numbers [rows, features], at least 2 rows.</param>
    /// <param name="components">Number of components; null for as many as there are.</param>
    /// <param name="whiten">Whether the scores of the training rows get variance 1.</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <exception cref="ArgumentException">There are fewer rows or features than components, or all rows are the
    /// same.</exception>
    public static PrincipalComponents Fit(Tensor x, int? components = null, bool whiten = false,
        IReadOnlyList<string>? names = null)
    {
        var rows = Examples.Rows(x);
        var (count, features) = (rows.Length, rows[0].Length);
        var most = Math.Min(count, features);
        var kept = components ?? most;
        if (count < 2 || kept < 1 || kept > most)
            throw new ArgumentException($"Got {kept} components of {count} rows and {features} features; expected at least 2 "
                + "rows "
                + $"and 1 to {most} components.", nameof(components));
        using var scope = NewDisposeScope();
        var table = Examples.ToTensor(rows);
        var mean = table.mean([0]);
        var centred = table - mean;
        var total = centred.square().sum().item<double>() / (count - 1);
        if (total <= 0) throw new ArgumentException("All rows are the same; they have no principal components.", nameof(x));
        var (u, s, vt) = linalg.svd(centred, fullMatrices: false);
        var largest = u.abs().argmax(0, keepdim: true);
        var signed = vt * u.gather(0, largest).sign().reshape(-1, 1);
        var values = s.data<double>().ToArray()[..kept];
        if (whiten && values[^1] <= 1e-12 * values[0])
            throw new ArgumentException($"Component {kept - 1} has no variance; whitening needs fewer components.",
                nameof(components));
        return new PrincipalComponents(Examples.Rows(signed)[..kept], mean.data<double>().ToArray(), values, total, count, whiten,
            Examples.Names(names, features));
    }

    /// <summary>Names of the features.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>The components, [component][feature], each of length 1.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Components => axes;

    /// <summary>Mean of each feature.</summary>
    public IReadOnlyList<double> Mean => mean;

    /// <summary>Singular values of the centred rows.</summary>
    public IReadOnlyList<double> SingularValues { get; }

    /// <summary>Variance of the scores of each component, with the denominator rows - 1.</summary>
    public IReadOnlyList<double> ExplainedVariance { get; }

    /// <summary>Share of the whole variance, for each component.</summary>
    public IReadOnlyList<double> ExplainedVarianceRatio { get; }

    /// <summary>Returns the scores of rows.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows, components].</returns>
    /// <exception cref="ArgumentException">There is another number of features.</exception>
    public Tensor Transform(Tensor x)
    {
        var rows = Examples.Rows(x);
        if (rows[0].Length != mean.Length)
            throw new ArgumentException($"Got {rows[0].Length} features; expected {mean.Length}.", nameof(x));
        using var scope = NewDisposeScope();
        var scores = (Examples.ToTensor(rows) - tensor(mean)).matmul(Examples.ToTensor(axes).t());
        return (scores / tensor(scales)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the rows that have given scores, without what the missing components hold.</summary>
    /// <param name="scores">Finite numbers [rows, components].</param>
    /// <returns>Float64 [rows, features].</returns>
    /// <exception cref="ArgumentException">There is another number of components.</exception>
    public Tensor InverseTransform(Tensor scores)
    {
        var rows = Examples.Rows(scores, nameof(scores));
        if (rows[0].Length != axes.Length)
            throw new ArgumentException($"Got {rows[0].Length} scores; expected {axes.Length}.", nameof(scores));
        using var scope = NewDisposeScope();
        var unscaled = Examples.ToTensor(rows) * tensor(scales);
        return (unscaled.matmul(Examples.ToTensor(axes)) + tensor(mean)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{axes.Length} components of {mean.Length} features, "
        + FormattableString.Invariant($"{100 * ExplainedVarianceRatio.Sum():0.0} % of the variance");
}
