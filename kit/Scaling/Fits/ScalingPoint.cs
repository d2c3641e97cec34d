using System.Globalization;

namespace ResearchKit.Scaling;

/// <summary>A training run as a point of a scaling law: its size, its data and its loss.</summary>
/// <param name="Parameters">N, number of parameters; say which are counted, since it changes exponents.</param>
/// <param name="Tokens">D, number of tokens it was trained on, repetitions included.</param>
/// <param name="Loss">Held-out loss at the end of the run, in nats per token.</param>
public sealed record ScalingPoint(double Parameters, double Tokens, double Loss)
{
    /// <summary>C, operations of the run; 6 N D unless it is set.</summary>
    public double Compute { get; init; } = 6 * Parameters * Tokens;

    /// <summary>U, number of different tokens in its data; null if no token was repeated.</summary>
    public double? UniqueTokens { get; init; }

    /// <summary>Name of the data it was trained on; all points of a fit must have the same.</summary>
    public string? Data { get; init; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"N {Parameters:0.###e0}, D {Tokens:0.###e0}, loss {Loss:0.####}");
}

/// <summary>Checks of the points of a fit.</summary>
internal static class ScalingPoints
{
    /// <exception cref="ArgumentException">There are too few points, a number is not positive, or the data differ.</exception>
    public static IReadOnlyList<ScalingPoint> Checked(IEnumerable<ScalingPoint> points, int parameters, string law)
    {
        ArgumentNullException.ThrowIfNull(points);
        var all = points.ToList();
        foreach (var (point, index) in all.Select((point, index) => (point, index)))
            foreach (var (name, value) in new[] { ("a loss", point.Loss), ("parameters", point.Parameters),
                ("tokens", point.Tokens), ("unique tokens", point.UniqueTokens ?? 1), ("operations", point.Compute) })
                Positive(name, value, index);
        Enough(all.Count, parameters, law);
        var data = all.Select(point => point.Data).OfType<string>().Distinct().ToList();
        if (data.Count > 1)
            throw new ArgumentException($"The runs were trained on different data, '{data[0]}' and '{data[1]}'; a law holds "
                + "for one "
                + "data set.", nameof(points));
        return all;
    }

    public static void Positive(string name, double value, int index)
    {
        if (!(value > 0) || !double.IsFinite(value))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Point {index} has {name} of {value}; a scaling law needs a positive finite number."));
    }

    public static void Enough(int count, int parameters, string law)
    {
        if (count < parameters)
            throw new ArgumentException($"Got {count} points; {law} has {parameters} parameters and needs at least as many.");
    }
}
