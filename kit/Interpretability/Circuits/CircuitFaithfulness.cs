using ResearchKit.Results;

namespace ResearchKit.Interpretability;

/// <summary>How much of a model's behaviour circuits of growing size keep.</summary>
/// <remarks>
/// Faithfulness is (circuit - corrupted) / (clean - corrupted), of the target. CPR and CMD are those of Mueller et al., 2025,
/// https://arxiv.org/abs/2504.13151.
/// </remarks>
/// <param name="Edges">Number of edges of each circuit, rising.</param>
/// <param name="Total">Number of edges of the model.</param>
/// <param name="Values">Faithfulness of each circuit.</param>
public sealed record CircuitFaithfulness(IReadOnlyList<int> Edges, int Total, IReadOnlyList<double> Values)
{
    /// <summary>The law that it obeys, and what it cost.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>
    /// Circuit performance ratio: the area below the faithfulness over the share of the edges, by the trapezoidal rule.
    /// </summary>
    public double Cpr => Area(value => value);

    /// <summary>
    /// Circuit-model distance: the area between the faithfulness and 1; 0 if circuits of every size behave like the model.
    /// </summary>
    public double Cmd => Area(value => Math.Abs(1 - value));

    /// <summary>The curve as a grid of one row.</summary>
    public Grid ToGrid()
    {
        var values = new double[1, Values.Count];
        for (var size = 0; size < Values.Count; size++) values[0, size] = Values[size];
        return new Grid("faithfulness of circuits", "", ["faithfulness"], [.. Edges.Select(count => $"{count}")], values)
        {
            ColumnAxis = "edges",
            Evidence = Evidence,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Edges.Count} circuits, CPR {Cpr:g3}, CMD {Cmd:g3}")
        + (Evidence is null ? "" : $" ({Evidence})");

    /// <summary>The area over all sizes: without edges the faithfulness is 0, and with all of them 1.</summary>
    private double Area(Func<double, double> height)
    {
        var points = Edges.Zip(Values).ToList();
        if (points.Count == 0 || points[0].First > 0) points.Insert(0, (0, 0));
        if (points[^1].First < Total) points.Add((Total, 1));
        return points.Zip(points.Skip(1), (from, to) =>
            (height(from.Second) + height(to.Second)) / 2 * (to.First - from.First) / Total).Sum();
    }
}
