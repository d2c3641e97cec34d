using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>The F tests and the χ² test of single features.</summary>
internal static class VarianceTests
{
    public static FeatureScores Classification(Tensor x, Tensor y, IReadOnlyList<string>? names)
    {
        var rows = Examples.Rows(x);
        var labels = Groups(Examples.Classes(y, rows.Length));
        var (features, classes) = (rows[0].Length, labels.Max() + 1);
        if (rows.Length <= classes)
            throw new ArgumentException($"Got {rows.Length} rows of {classes} classes; expected more rows than classes.",
                nameof(x));
        var known = Examples.Names(names, features);
        var (scores, chances) = (new double[features], new double[features]);
        for (var feature = 0; feature < features; feature++)
        {
            var column = Varying(rows, feature, known[feature]);
            var mean = column.Average();
            var groups = column.Select((value, row) => (value, row)).GroupBy(one => labels[one.row], one => one.value).ToList();
            double between = 0, within = 0;
            foreach (var group in groups)
            {
                var own = group.Average();
                between += group.Count() * (own - mean) * (own - mean);
                within += group.Sum(value => (value - own) * (value - own));
            }
            scores[feature] = between / (classes - 1) / (within / (rows.Length - classes));
            chances[feature] = double.IsPositiveInfinity(scores[feature]) ? 0
                : Distributions.FTail(scores[feature], classes - 1, rows.Length - classes);
        }
        return new FeatureScores("F test", known, scores) { PValues = chances };
    }

    public static FeatureScores Regression(Tensor x, Tensor y, IReadOnlyList<string>? names)
    {
        var rows = Examples.Rows(x);
        var targets = Examples.Targets(y, rows.Length);
        if (rows.Length < 3) throw new ArgumentException($"Got {rows.Length} rows; expected at least 3.", nameof(x));
        if (targets.Max().Equals(targets.Min()))
            throw new ArgumentException(FormattableString.Invariant($"All targets are {targets[0]}; expected different ones."),
                nameof(y));
        var known = Examples.Names(names, rows[0].Length);
        var (scores, chances) = (new double[known.Count], new double[known.Count]);
        var degrees = rows.Length - 2;
        for (var feature = 0; feature < known.Count; feature++)
        {
            var correlation = Correlation(Varying(rows, feature, known[feature]), targets);
            var square = Math.Min(1, correlation * correlation);
            scores[feature] = square / (1 - square) * degrees;
            chances[feature] = double.IsPositiveInfinity(scores[feature]) ? 0 : Distributions.FTail(scores[feature], 1, degrees);
        }
        return new FeatureScores("F test", known, scores) { PValues = chances };
    }

    public static FeatureScores Chi2(Tensor x, Tensor y, IReadOnlyList<string>? names)
    {
        var rows = Examples.Rows(x);
        var labels = Groups(Examples.Classes(y, rows.Length));
        var (features, classes) = (rows[0].Length, labels.Max() + 1);
        var known = Examples.Names(names, features);
        var (scores, chances) = (new double[features], new double[features]);
        for (var feature = 0; feature < features; feature++)
        {
            var sums = new double[classes];
            var counts = new double[classes];
            for (var row = 0; row < rows.Length; row++)
            {
                if (rows[row][feature] < 0)
                    throw new ArgumentException(FormattableString.Invariant($"Feature '{known[feature]}' is ")
                        + FormattableString.Invariant($"{rows[row][feature]} in row {row}; χ² needs numbers of at least 0."),
                            nameof(x));
                sums[labels[row]] += rows[row][feature];
                counts[labels[row]]++;
            }
            if (sums.Sum() <= 0)
                throw new ArgumentException($"Feature '{known[feature]}' is 0 in all rows; χ² is not defined.", nameof(x));
            for (var label = 0; label < classes; label++)
            {
                var expected = counts[label] / rows.Length * sums.Sum();
                scores[feature] += (sums[label] - expected) * (sums[label] - expected) / expected;
            }
            chances[feature] = Distributions.ChiSquaredTail(scores[feature], classes - 1);
        }
        return new FeatureScores("χ²", known, scores) { PValues = chances };
    }

    /// <summary>Numbers the classes that occur from 0.</summary>
    private static int[] Groups(int[] classes)
    {
        int[] occurring = [.. classes.Distinct().Order()];
        if (occurring.Length < 2)
            throw new ArgumentException($"All rows are of class {occurring[0]}; expected at least two classes.");
        return Array.ConvertAll(classes, label => Array.IndexOf(occurring, label));
    }

    private static double[] Varying(double[][] rows, int feature, string name)
    {
        var column = Array.ConvertAll(rows, row => row[feature]);
        return column.Max() > column.Min() ? column : throw new ArgumentException(FormattableString.Invariant(
            $"Feature '{name}' is {column[0]} in all rows; leave it out, or expect no score for it."));
    }

    private static double Correlation(double[] left, double[] right)
    {
        var (leftMean, rightMean) = (left.Average(), right.Average());
        double both = 0, leftSquares = 0, rightSquares = 0;
        for (var row = 0; row < left.Length; row++)
        {
            both += (left[row] - leftMean) * (right[row] - rightMean);
            leftSquares += (left[row] - leftMean) * (left[row] - leftMean);
            rightSquares += (right[row] - rightMean) * (right[row] - rightMean);
        }
        return both / Math.Sqrt(leftSquares * rightSquares);
    }
}
