namespace ResearchKit.Results;

/// <summary>Labelled points in a plane: a map of embeddings.</summary>
/// <param name="Title">What the points are.</param>
/// <param name="Labels">Text of each point.</param>
/// <param name="Points">[point, 2]: the two coordinates.</param>
public sealed record PointMap(string Title, IReadOnlyList<string> Labels, double[,] Points)
{
    /// <summary>[point, 2]: the two coordinates.</summary>
    /// <exception cref="ArgumentException">There are not as many points as labels, or not two coordinates.</exception>
    public double[,] Points { get; init; } = Points.GetLength(0) == Labels.Count && Points.GetLength(1) == 2 ? Points
        : throw new ArgumentException($"Got points [{Points.GetLength(0)}, {Points.GetLength(1)}] for {Labels.Count} labels; "
            + "expected two "
            + "coordinates for each label.", nameof(Points));

    /// <summary>What goes to the right.</summary>
    public string XAxis { get; init; } = "";

    /// <summary>What goes up.</summary>
    public string YAxis { get; init; } = "";

    /// <summary>Group of each point, which gives its color; null for one group.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>Returns the points as comma-separated values: a line for each.</summary>
    public string ToCsv() => Csv.Write(Labels.Select((label, point) => (IEnumerable<string>)
        [label, Group(point), Csv.Number(Points[point, 0]), Csv.Number(Points[point, 1])]).Prepend(["label", "group", "x", "y"]));

    /// <summary>Returns everything as JSON; a number that is not finite is null.</summary>
    public string ToJson() => ResultJson.Write(Title, "", Evidence, json =>
    {
        json.WriteString("xAxis", XAxis);
        json.WriteString("yAxis", YAxis);
        json.Texts("labels", Labels);
        if (Groups is not null) json.Texts("groups", Groups);
        json.Matrix("points", Points, json.Value);
    });

    /// <summary>Group of a point; empty without groups.</summary>
    public string Group(int point) => Groups is { } groups && point < groups.Count ? groups[point] : "";

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Labels.Count} points" + (Evidence is null ? "" : $" ({Evidence})");
}
