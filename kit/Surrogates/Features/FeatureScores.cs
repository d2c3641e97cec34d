using System.Globalization;
using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>A number for each feature: how much it says about the target, by itself or in a model.</summary>
/// <param name="Method">How it was computed, such as <c>F test</c>.</param>
/// <param name="FeatureNames">Names of the features.</param>
/// <param name="Values">The scores, one for each feature.</param>
public sealed record FeatureScores(string Method, IReadOnlyList<string> FeatureNames, IReadOnlyList<double> Values)
{
    /// <summary>Probabilities of a score at least as large if feature and target are independent; empty without a test.</summary>
    public IReadOnlyList<double> PValues { get; init; } = [];

    /// <summary>Standard deviation of each score over repetitions; empty without repetitions.</summary>
    public IReadOnlyList<double> Deviations { get; init; } = [];

    /// <summary>The unit of the scores, such as "nats"; empty when they have none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Returns the numbers of the features with the largest scores, the largest first.</summary>
    /// <param name="count">How many; all if there are fewer.</param>
    public IReadOnlyList<int> Best(int count) =>
        [.. Enumerable.Range(0, Values.Count).OrderByDescending(feature => Values[feature]).Take(count)];

    /// <summary>Analysis of variance: the F statistic of each feature between the classes.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Classes, whole numbers [rows].</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <remarks>scikit-learn's <c>f_classif</c>.</remarks>
    /// <exception cref="ArgumentException">A feature is constant, there is a single class, or the shapes do not fit.</exception>
    public static FeatureScores FClassification(Tensor x, Tensor y, IReadOnlyList<string>? names = null) =>
        VarianceTests.Classification(x, y, names);

    /// <summary>The F statistic of a linear regression on each feature alone.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Targets, finite numbers [rows].</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <remarks>scikit-learn's <c>f_regression</c>.</remarks>
    /// <exception cref="ArgumentException">A feature or the target is constant, or the shapes do not fit.</exception>
    public static FeatureScores FRegression(Tensor x, Tensor y, IReadOnlyList<string>? names = null) =>
        VarianceTests.Regression(x, y, names);

    /// <summary>χ² of the sums of each feature in the classes, for features that are counts or shares.</summary>
    /// <param name="x">Finite numbers of at least 0, [rows, features].</param>
    /// <param name="y">Classes, whole numbers [rows].</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <remarks>scikit-learn's <c>chi2</c>.</remarks>
    /// <exception cref="ArgumentException">A number is negative, a feature is 0 in all rows, or the shapes do not
    /// fit.</exception>
    public static FeatureScores Chi2(Tensor x, Tensor y, IReadOnlyList<string>? names = null) =>
        VarianceTests.Chi2(x, y, names);

    /// <summary>Mutual information of each feature and the target, in nats, by nearest neighbours.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Whole numbers [rows] are classes; floating-point numbers are numeric targets.</param>
    /// <param name="neighbors">Number of neighbours; more give less variance and more bias.</param>
    /// <param name="discrete">Numbers of the features that are categories; null for none.</param>
    /// <param name="seed">Seed of the noise of 1e-10 that breaks ties.</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <remarks>
    /// Kraskov et al., 2004, https://arxiv.org/abs/cond-mat/0305641; Ross, 2014. scikit-learn's <c>mutual_info_classif</c> and
    /// <c>mutual_info_regression</c>. Estimates below 0 are 0.
    /// </remarks>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static FeatureScores MutualInformation(Tensor x, Tensor y, int neighbors = 3,
        IReadOnlyCollection<int>? discrete = null, int seed = 0, IReadOnlyList<string>? names = null) =>
        NeighborInformation.Of(x, y, neighbors, discrete ?? [], seed, names);

    /// <summary>Returns a table with a row for each feature, the largest score first.</summary>
    public ResultTable ToTable()
    {
        List<string> columns = ["feature", Unit.Length > 0 ? $"{Method} ({Unit})" : Method];
        if (Deviations.Count > 0) columns.Add("deviation");
        if (PValues.Count > 0) columns.Add("p");
        return new ResultTable(columns, [.. Best(Values.Count).Select(feature =>
        {
            List<object?> row = [FeatureNames[feature], Values[feature]];
            if (Deviations.Count > 0) row.Add(Deviations[feature]);
            if (PValues.Count > 0) row.Add(PValues[feature]);
            return (IReadOnlyList<object?>)row;
        })]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Method}: " + string.Join(", ", Best(5).Select(feature =>
        string.Create(CultureInfo.InvariantCulture, $"{FeatureNames[feature]} {Values[feature]:G4}")))
        + (Values.Count > 5 ? $", … ({Values.Count} features)" : "");
}
