using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Selects features by removing the least important ones again and again.</summary>
/// <param name="FeatureNames">Names of all features.</param>
/// <param name="Ranking">Rank of each feature: 1 for the selected ones, more for those removed earlier.</param>
/// <remarks>Guyon et al., 2002. scikit-learn's <c>RFE</c>.</remarks>
public sealed record RecursiveElimination(IReadOnlyList<string> FeatureNames, IReadOnlyList<int> Ranking)
{
    /// <summary>Numbers of the selected features, in their order.</summary>
    public IReadOnlyList<int> Selected =>
        [.. Enumerable.Range(0, Ranking.Count).Where(feature => Ranking[feature] == 1)];

    /// <summary>Selects features.</summary>
    /// <param name="x">Finite numbers [rows, features]; standardized, if importances are coefficients.</param>
    /// <param name="y">Labels [rows].</param>
    /// <param name="count">Number of features to select.</param>
    /// <param name="step">Features that are removed at a time.</param>
    /// <param name="importance">
    /// Fits a model to some features and returns the importance of each; null for the summed squares of the coefficients of a
    /// <see cref="LogisticRegression"/>.
    /// </param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <param name="cancellation">Stops the work between two fits.</param>
    /// <exception cref="ArgumentException">More features are asked than there are, or the shapes do not fit.</exception>
    public static RecursiveElimination Fit(Tensor x, Tensor y, int count, int step = 1,
        Func<Tensor, Tensor, IReadOnlyList<double>>? importance = null, IReadOnlyList<string>? names = null,
        CancellationToken cancellation = default)
    {
        var features = Examples.Rows(x)[0].Length;
        Tensors.Require.AtLeast(1, step);
        Tensors.Require.That(count >= 1 && count <= features, count, nameof(count), $"from 1 to {features}, the features of x");
        var known = Examples.Names(names, features);
        var left = Enumerable.Range(0, features).ToList();
        var removedIn = new int[features];
        var round = 0;
        for (; left.Count > count; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var scores = Importances(x, y, left, importance ?? Squares);
            var gone = left.Zip(scores).OrderBy(one => one.Second).Take(Math.Min(step, left.Count - count))
                .Select(one => one.First).ToHashSet();
            foreach (var feature in gone) removedIn[feature] = round + 1;
            left.RemoveAll(gone.Contains);
        }
        return new RecursiveElimination(known, Array.ConvertAll(removedIn, at => at == 0 ? 1 : round - at + 2));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Selected.Count} of {FeatureNames.Count} features: "
        + string.Join(", ", Selected.Select(feature => FeatureNames[feature]));

    private static IReadOnlyList<double> Importances(Tensor x, Tensor y, List<int> left,
        Func<Tensor, Tensor, IReadOnlyList<double>> importance)
    {
        using var scope = NewDisposeScope();
        var chosen = x.index_select(1, tensor(left.Select(feature => (long)feature).ToArray(), device: x.device));
        var scores = importance(chosen, y);
        return scores.Count == left.Count ? scores
            : throw new ArgumentException($"The importance function returned {scores.Count} numbers for {left.Count} features.");
    }

    private static double[] Squares(Tensor x, Tensor y)
    {
        var coefficients = LogisticRegression.Fit(x, y).Coefficients;
        return [.. Enumerable.Range(0, (int)x.shape[1]).Select(feature => coefficients.Sum(row => row[feature] * row[feature]))];
    }
}
