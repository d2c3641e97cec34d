namespace ResearchKit.Results;

/// <summary>Numbers in rows and columns with labels and a unit: a sweep, a lens, scores of heads, a similarity.</summary>
/// <param name="Title">What the numbers are, such as "logit difference after patching".</param>
/// <param name="Unit">The unit of the numbers, such as "nats"; empty for a share or a similarity.</param>
/// <param name="Rows">Labels of the rows, top to bottom.</param>
/// <param name="Columns">Labels of the columns, left to right.</param>
/// <param name="Values">[row, column]; NaN where there is no number.</param>
public sealed record Grid(
    string Title, string Unit, IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, double[,] Values)
{
    /// <summary>What a row is, such as "layer".</summary>
    public string RowAxis { get; init; } = "";

    /// <summary>What a column is, such as "position".</summary>
    public string ColumnAxis { get; init; } = "";

    /// <summary>A text for each cell, [row, column], such as the token that a lens predicts; null without texts.</summary>
    public string[,]? Texts { get; init; }

    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Rows.Count} × {Columns.Count}{(Unit.Length > 0 ? $", {Unit}" : "")}"
        + (Evidence is null ? "" : $" ({Evidence})");
}
