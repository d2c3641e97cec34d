using System.Globalization;

namespace ResearchKit.Surrogates;

/// <summary>A condition on one feature: above a lower bound, and not above an upper bound.</summary>
/// <param name="Feature">Number of the feature.</param>
/// <param name="Name">Name of the feature.</param>
/// <param name="Above">The value is greater than this; negative infinity for no bound.</param>
/// <param name="UpTo">The value is at most this; infinity for no bound.</param>
public sealed record Condition(int Feature, string Name, double Above, double UpTo)
{
    /// <summary>Returns whether a value fulfils it.</summary>
    public bool Holds(double value) => value > Above && value <= UpTo;

    /// <inheritdoc/>
    public override string ToString() => (double.IsNegativeInfinity(Above), double.IsPositiveInfinity(UpTo)) switch
    {
        (true, true) => $"any {Name}",
        (true, false) => $"{Name} ≤ {Short(UpTo)}",
        (false, true) => $"{Name} > {Short(Above)}",
        _ => $"{Short(Above)} < {Name} ≤ {Short(UpTo)}",
    };

    private static string Short(double bound) => bound.ToString("G5", CultureInfo.InvariantCulture);
}

/// <summary>Conditions that must all hold, and what then follows.</summary>
/// <param name="Conditions">The conditions, at most one for each feature; none for a rule that always holds.</param>
/// <param name="Output">The shares of the classes, or a single number.</param>
/// <param name="Consequence">The output in words, such as the name of the class.</param>
/// <param name="Samples">Number of training rows for which it holds (and, in a list, no earlier rule).</param>
public sealed record Rule(IReadOnlyList<Condition> Conditions, IReadOnlyList<double> Output, string Consequence, int Samples)
{
    /// <summary>Returns whether all conditions hold.</summary>
    /// <param name="row">The features of a row.</param>
    public bool Holds(IReadOnlyList<double> row)
    {
        foreach (var condition in Conditions)
            if (!condition.Holds(row[condition.Feature])) return false;
        return true;
    }

    /// <summary>The conditions in words.</summary>
    public string Premise => Conditions.Count == 0 ? "always" : string.Join(" and ", Conditions);

    /// <inheritdoc/>
    public override string ToString() => Conditions.Count == 0 ? Consequence : $"if {Premise} then {Consequence}";
}
