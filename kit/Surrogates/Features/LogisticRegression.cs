using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Logistic regression with a squared penalty, solved by Newton's method in float64.</summary>
/// <remarks>
/// It minimizes ½‖w‖² + C·Σ log loss, as scikit-learn's <c>LogisticRegression</c>; the intercept has no penalty. Two classes
/// have one row of coefficients; more have one each (softmax).
/// </remarks>
public sealed class LogisticRegression : ITabularModel
{
    private readonly double[][] coefficients;
    private readonly double[] intercepts;

    private LogisticRegression(double[][] coefficients, double[] intercepts, IReadOnlyList<string> names,
        IReadOnlyList<string> classes)
    {
        this.coefficients = coefficients;
        this.intercepts = intercepts;
        FeatureNames = names;
        ClassNames = classes;
    }

    /// <summary>Fits the coefficients. Features of very different sizes should be standardized first.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Classes, whole numbers from 0, [rows].</param>
    /// <param name="c">Weight of the loss against the penalty.</param>
    /// <param name="names">Names of the features; null for x0, x1, ….</param>
    /// <param name="classNames">Names of the classes; null for 0, 1, ….</param>
    /// <exception cref="ArgumentException">There is a single class, or the shapes do not fit.</exception>
    public static LogisticRegression Fit(Tensor x, Tensor y, double c = 1, IReadOnlyList<string>? names = null,
        IReadOnlyList<string>? classNames = null)
    {
        Tensors.Require.Positive(c);
        var rows = Examples.Rows(x);
        var labels = Examples.Classes(y, rows.Length);
        var classes = Math.Max(labels.Max() + 1, 2);
        if (labels.Distinct().Count() < 2)
            throw new ArgumentException($"All rows are of class {labels[0]}; expected at least two classes.", nameof(y));
        var known = Examples.Names(names, rows[0].Length);
        using var scope = NewDisposeScope();
        var solved = Examples.Rows(new LogisticNewton(rows, labels, classes, c).Solve());    // [outputs, features + 1]
        return new LogisticRegression(Array.ConvertAll(solved, row => row[..^1]), Array.ConvertAll(solved, row => row[^1]), known,
            classNames ?? [.. Enumerable.Range(0, classes).Select(label => $"{label}")]);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Names of the classes.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public bool IsClassifier => true;

    /// <summary>Coefficients, [1 or classes][features].</summary>
    public IReadOnlyList<IReadOnlyList<double>> Coefficients => coefficients;

    /// <summary>Intercepts, 1 or one for each class.</summary>
    public IReadOnlyList<double> Intercepts => intercepts;

    /// <summary>Returns the logits of rows: of the second class for two classes, else of each class.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows, 1 or classes].</returns>
    public Tensor Logits(Tensor x)
    {
        var rows = Examples.Rows(x);
        if (rows[0].Length != FeatureNames.Count)
            throw new ArgumentException($"Got {rows[0].Length} features; expected {FeatureNames.Count}.", nameof(x));
        using var scope = NewDisposeScope();
        return (Examples.ToTensor(rows).matmul(Examples.ToTensor(coefficients).t())
            + tensor(intercepts)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x)
    {
        using var scope = NewDisposeScope();
        var logits = Logits(x);
        return (logits.shape[1] == 1 ? logits.squeeze(1).gt(0).to(ScalarType.Int64) : logits.argmax(1)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public string ToText() => string.Join('\n', coefficients.Select((row, output) =>
        $"logit of {(coefficients.Length == 1 ? ClassNames[1] : ClassNames[output])} = {intercepts[output]:G4}"
        + string.Concat(row.Select((weight, feature) => FormattableString.Invariant($" {(weight < 0 ? '-' : '+')} ")
            + FormattableString.Invariant($"{Math.Abs(weight):G4} · {FeatureNames[feature]}")))));

    /// <inheritdoc/>
    public override string ToString() => $"logistic regression of {FeatureNames.Count} features, {ClassNames.Count} classes";
}
