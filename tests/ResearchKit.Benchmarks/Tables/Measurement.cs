namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// What was measured of a row: the medians over its rounds, and between which the middle half of the rounds lies.
/// </summary>
internal sealed record Measurement
{
    public required string Name { get; init; }
    public required string Reference { get; init; }
    public required string Unit { get; init; }
    public required Comparison Comparison { get; init; }
    public double? Target { get; init; }

    /// <summary>Why it could not be measured on this machine; null where it was.</summary>
    public string? Refused { get; init; }

    /// <summary>Median over the rounds, each a comparison of its own.</summary>
    public double? Value { get; init; }
    public double? LowerQuartile { get; init; }
    public double? UpperQuartile { get; init; }

    /// <summary>Medians of the two sides, in the unit.</summary>
    public double? Ours { get; init; }
    public double? ReferenceValue { get; init; }
    public int Rounds { get; init; }
    public required string Date { get; init; }
    public required string Commit { get; init; }

    /// <summary>Whether the target is reached; null where there is none.</summary>
    public bool? Reached => Value is { } value && Target is { } target ? Math.Round(value, 3) <= target : null;

    /// <summary>Measures the two sides by turns: ours, reference, ours, reference, …</summary>
    public static Measurement Of(Row row, Processor processor, string commit)
    {
        var blank = new Measurement
        {
            Name = row.Name,
            Reference = row.Reference,
            Unit = row.Unit,
            Comparison = row.Comparison,
            Target = row.Target(processor),
            Date = DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            Commit = commit,
        };
        try
        {
            using var pair = row.Prepare();
            return blank.With(row, pair);
        }
        catch (NotSupportedException error)
        {
            return blank with { Refused = error.Message };
        }
    }

    private Measurement With(Row row, Pair pair)
    {
        for (var round = 0; round < row.WarmUp; round++)
        {
            pair.Ours();
            pair.Reference();
        }
        var rounds = new List<(double Ours, double Reference)>();
        for (var round = 0; round < row.Rounds; round++) rounds.Add((pair.Ours(), pair.Reference()));
        var values = rounds.Select(round => row.Compare(round.Ours, round.Reference)).ToList();
        return this with
        {
            Value = Quantile(values, 0.5),
            LowerQuartile = Quantile(values, 0.25),
            UpperQuartile = Quantile(values, 0.75),
            Ours = Quantile([.. rounds.Select(round => round.Ours)], 0.5),
            ReferenceValue = Quantile([.. rounds.Select(round => round.Reference)], 0.5),
            Rounds = row.Rounds,
        };
    }

    private static double Quantile(List<double> values, double share)
    {
        values.Sort();
        var place = share * (values.Count - 1);
        var below = (int)place;
        return values[below] + ((values[Math.Min(below + 1, values.Count - 1)] - values[below]) * (place - below));
    }
}
