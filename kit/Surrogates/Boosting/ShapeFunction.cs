using System.Globalization;

namespace ResearchKit.Surrogates;

/// <summary>The term of one feature: a step function of its value.</summary>
/// <param name="Feature">Number of the feature.</param>
/// <param name="Name">Name of the feature.</param>
/// <param name="Cuts">Bounds between the bins, ascending; a value on a bound belongs below it.</param>
/// <param name="Values">What each bin adds; their mean over the training rows is 0.</param>
/// <param name="Deviations">Standard deviation of each value over the bags.</param>
/// <param name="Counts">Training rows of each bin.</param>
/// <param name="Low">Smallest value of the training rows.</param>
/// <param name="High">Largest value of the training rows.</param>
public sealed record ShapeFunction(int Feature, string Name, IReadOnlyList<double> Cuts, IReadOnlyList<double> Values,
    IReadOnlyList<double> Deviations, IReadOnlyList<double> Counts, double Low, double High)
{
    /// <summary>Mean of the absolute values over the training rows.</summary>
    public double Importance => Values.Zip(Counts).Sum(bin => Math.Abs(bin.First) * bin.Second) / Counts.Sum();

    /// <summary>Returns what a value of the feature adds.</summary>
    public double Of(double value) => Values[Bin(Cuts, value)];

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Values.Count} bins from {Values.Min():G3} to {Values.Max():G3}, importance {Importance:G3}");

    internal static int Bin(IReadOnlyList<double> cuts, double value)
    {
        var (low, high) = (0, cuts.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (value <= cuts[middle]) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}

/// <summary>The term of two features: what they say only together.</summary>
/// <param name="First">Number of the feature of the rows.</param>
/// <param name="Second">Number of the feature of the columns.</param>
/// <param name="Name">Names of both.</param>
/// <param name="FirstCuts">Bounds between the rows, ascending.</param>
/// <param name="SecondCuts">Bounds between the columns, ascending.</param>
/// <param name="Values">What each cell adds; the means of each row and column, by the counts, are 0.</param>
/// <param name="Counts">Training rows of each cell.</param>
public sealed record PairFunction(int First, int Second, string Name, IReadOnlyList<double> FirstCuts,
    IReadOnlyList<double> SecondCuts, double[,] Values, double[,] Counts)
{
    /// <summary>Mean of the absolute values over the training rows.</summary>
    public double Importance => Values.Cast<double>().Zip(Counts.Cast<double>()).Sum(cell => Math.Abs(cell.First) * cell.Second)
        / Counts.Cast<double>().Sum();

    /// <summary>Returns what two values add.</summary>
    public double Of(double first, double second) =>
        Values[ShapeFunction.Bin(FirstCuts, first), ShapeFunction.Bin(SecondCuts, second)];

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Values.GetLength(0)} × {Values.GetLength(1)} cells, importance {Importance:G3}");
}
