using System.Globalization;
using ResearchKit.Results;

namespace ResearchKit.Surrogates;

/// <summary>One prediction as a sum: a base value and what each term adds to it.</summary>
/// <param name="Title">How it was computed, such as <c>TreeSHAP</c>.</param>
/// <param name="Names">Names of the terms.</param>
/// <param name="Inputs">Values of the features; NaN for a term of several features.</param>
/// <param name="Contributions">What each term adds.</param>
/// <param name="BaseValue">The output without any term.</param>
/// <param name="Output">The output of the model for the row.</param>
public sealed record Explanation(string Title, IReadOnlyList<string> Names, IReadOnlyList<double> Inputs,
    IReadOnlyList<double> Contributions, double BaseValue, double Output)
{
    /// <summary>The unit of the output, such as "logit"; empty when it has none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Base value plus all contributions.</summary>
    public double Sum => BaseValue + Contributions.Sum();

    /// <summary>How far the sum is from the output.</summary>
    public Evidence Evidence => new()
    {
        Law = "base value and contributions sum to the output",
        Error = Math.Abs(Sum - Output),
        Tolerance = 1e-6 * Math.Max(1, Math.Abs(Output)),
    };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Title}: {Output:G4} = {BaseValue:G4}")
        + string.Concat(Enumerable.Range(0, Names.Count).OrderByDescending(term => Math.Abs(Contributions[term])).Take(8)
            .Select(Line)) + (Names.Count > 8 ? $"\n  … {Names.Count - 8} more" : "");

    private string Line(int term) => string.Create(CultureInfo.InvariantCulture,
        $"\n  {Contributions[term]:+0.####;-0.####;0} {Names[term]}")
        + (double.IsNaN(Inputs[term]) ? "" : string.Create(CultureInfo.InvariantCulture, $" = {Inputs[term]:G4}"));
}

/// <summary>The sums of many predictions.</summary>
/// <param name="Title">How they were computed.</param>
/// <param name="Names">Names of the terms.</param>
/// <param name="Inputs">Values of the features, [row, term]; NaN for a term of several features.</param>
/// <param name="Contributions">What each term adds, [row, term].</param>
/// <param name="BaseValue">The output without any term.</param>
/// <param name="Outputs">The output of the model for each row.</param>
public sealed record ExplanationSet(string Title, IReadOnlyList<string> Names, double[,] Inputs, double[,] Contributions,
    double BaseValue, IReadOnlyList<double> Outputs)
{
    /// <summary>The unit of the outputs, such as "logit"; empty when they have none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Number of rows.</summary>
    public int Count => Outputs.Count;

    /// <summary>Returns the explanation of one row.</summary>
    public Explanation this[int row] => new(Title, Names, [.. Terms.Select(term => Inputs[row, term])],
        [.. Terms.Select(term => Contributions[row, term])], BaseValue, Outputs[row])
    {
        Unit = Unit,
    };

    /// <summary>Mean of the absolute contributions of each term.</summary>
    public FeatureScores MeanAbsolute() => new("mean |contribution|", Names, [.. Terms.Select(term =>
        Enumerable.Range(0, Count).Average(row => Math.Abs(Contributions[row, term])))])
    {
        Unit = Unit,
    };

    /// <summary>Contribution against value of one feature, with the value of another as the color.</summary>
    /// <param name="feature">Name of the feature.</param>
    /// <param name="color">
    /// Name of the other feature; null for the one whose values go together most with what the first one's do not explain.
    /// </param>
    /// <exception cref="KeyNotFoundException">There is no such feature; the message lists those there are.</exception>
    public Dependence Dependence(string feature, string? color = null)
    {
        var at = Examples.Feature(Names, feature);
        var other = color is null ? Surrogates.Dependence.Partner(this, at) : Examples.Feature(Names, color);
        double[] Column(double[,] values, int term) => [.. Enumerable.Range(0, Count).Select(row => values[row, term])];
        return new Dependence(feature, Column(Inputs, at), Column(Contributions, at), Names[other], Column(Inputs, other))
        {
            Unit = Unit,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Title} of {Count} rows; {MeanAbsolute()}";

    private IEnumerable<int> Terms => Enumerable.Range(0, Names.Count);
}

/// <summary>What a feature adds to the output, against its value.</summary>
/// <param name="Feature">Name of the feature.</param>
/// <param name="Values">Its value in each row.</param>
/// <param name="Contributions">What it adds in each row.</param>
/// <param name="Color">Name of the feature that gives the color.</param>
/// <param name="ColorValues">Its value in each row.</param>
public sealed record Dependence(string Feature, IReadOnlyList<double> Values, IReadOnlyList<double> Contributions,
    string Color, IReadOnlyList<double> ColorValues)
{
    /// <summary>The unit of the contributions; empty when they have none.</summary>
    public string Unit { get; init; } = "";

    /// <inheritdoc/>
    public override string ToString() => $"contribution of {Feature} on {Values.Count} rows, colored by {Color}";

    /// <summary>
    /// The feature whose values correlate most with the contributions of rows that are neighbours by the first feature.
    /// </summary>
    internal static int Partner(ExplanationSet set, int feature)
    {
        var order = Enumerable.Range(0, set.Count).Where(row => !double.IsNaN(set.Inputs[row, feature]))
            .OrderBy(row => set.Inputs[row, feature]).ToArray();
        var chunks = order.Chunk(Math.Clamp(order.Length / 10, 5, 50)).Where(chunk => chunk.Length > 2).ToList();
        return Enumerable.Range(0, set.Names.Count).Where(other => other != feature && !double.IsNaN(set.Inputs[0, other]))
            .DefaultIfEmpty(feature).MaxBy(other => chunks.Sum(chunk => Math.Abs(Correlation(
                Array.ConvertAll(chunk, row => set.Inputs[row, other]),
                Array.ConvertAll(chunk, row => set.Contributions[row, feature])))));
    }

    private static double Correlation(double[] left, double[] right)
    {
        var (leftMean, rightMean) = (left.Average(), right.Average());
        double both = 0, lefts = 0, rights = 0;
        for (var row = 0; row < left.Length; row++)
        {
            both += (left[row] - leftMean) * (right[row] - rightMean);
            lefts += (left[row] - leftMean) * (left[row] - leftMean);
            rights += (right[row] - rightMean) * (right[row] - rightMean);
        }
        return lefts > 0 && rights > 0 ? both / Math.Sqrt(lefts * rights) : 0;
    }
}
