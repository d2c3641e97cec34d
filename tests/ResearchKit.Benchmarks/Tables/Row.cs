namespace ResearchKit.Benchmarks.Tables;

/// <summary>How the two sides of a row become one number.</summary>
internal enum Comparison
{
    /// <summary>Ours divided by the reference.</summary>
    Ratio,

    /// <summary>The share of ours that the reference does not explain: 1 − reference / ours.</summary>
    Remainder,

    /// <summary>Ours minus the reference.</summary>
    Difference,
}

/// <summary>A line of a table: something of ours, something to compare it with, and what is to be reached.</summary>
internal sealed record Row
{
    /// <summary>What is measured, such as <c>GPT 10.8 M, training step</c>; names the row in the files.</summary>
    public required string Name { get; init; }

    /// <summary>What it is compared with, such as <c>ONNX Runtime</c>.</summary>
    public required string Reference { get; init; }

    /// <summary>
    /// Makes both sides, right before they are measured. Throws <see cref="NotSupportedException"/> with the reason where this
    /// machine cannot run one of them; the table then shows the reason.
    /// </summary>
    public required Func<Pair> Prepare { get; init; }

    /// <summary>The largest number that reaches the target on such a processor; null for no target.</summary>
    public Func<Processor, double?> Target { get; init; } = _ => null;

    /// <summary>How the two sides become one number.</summary>
    public Comparison Comparison { get; init; } = Comparison.Ratio;

    /// <summary>Unit of what the two sides return, such as <c>ms</c> or <c>MB</c>.</summary>
    public string Unit { get; init; } = "ms";

    /// <summary>Rounds before those that count.</summary>
    public int WarmUp { get; init; } = 2;

    /// <summary>Rounds that count; in each, both sides are measured once.</summary>
    public int Rounds { get; init; } = 9;

    /// <summary>The number of one round.</summary>
    public double Compare(double ours, double reference) => Comparison switch
    {
        Comparison.Ratio => ours / reference,
        Comparison.Remainder => 1 - (reference / ours),
        _ => ours - reference,
    };
}
