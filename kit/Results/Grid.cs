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
    /// <summary>[row, column]; NaN where there is no number.</summary>
    /// <exception cref="ArgumentException">Its shape is not the number of labels.</exception>
    public double[,] Values { get; init; } = Values.GetLength(0) == Rows.Count && Values.GetLength(1) == Columns.Count ? Values
        : throw new ArgumentException($"Got values [{Values.GetLength(0)}, {Values.GetLength(1)}] for {Rows.Count} labels of "
            + "rows "
            + $"and {Columns.Count} of columns; expected one label for each row and column.", nameof(Values));

    /// <summary>What a row is, such as "layer".</summary>
    public string RowAxis { get; init; } = "";

    /// <summary>What a column is, such as "position".</summary>
    public string ColumnAxis { get; init; } = "";

    /// <summary>A text for each cell, [row, column], such as the token that a lens predicts; null without texts.</summary>
    public string[,]? Texts { get; init; }

    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>
    /// Returns the numbers as comma-separated values: a line of column labels, then a line for each row. A number that is NaN
    /// is an empty field.
    /// </summary>
    public string ToCsv() => Csv.Write(
        Enumerable.Range(0, Rows.Count).Select(row =>
            Enumerable.Range(0, Columns.Count).Select(column => Csv.Number(Values[row, column])).Prepend(Rows[row]))
            .Prepend(Columns.Prepend(RowAxis)));

    /// <summary>Returns everything as JSON; a number that is not finite is null.</summary>
    public string ToJson() => ResultJson.Write(Title, Unit, Evidence, json =>
    {
        json.WriteString("rowAxis", RowAxis);
        json.WriteString("columnAxis", ColumnAxis);
        json.Texts("rows", Rows);
        json.Texts("columns", Columns);
        json.Matrix("values", Values, json.Value);
        if (Texts is not null) json.Matrix("texts", Texts, json.WriteStringValue);
    });

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Rows.Count} × {Columns.Count}{(Unit.Length > 0 ? $", {Unit}" : "")}"
        + (Evidence is null ? "" : $" ({Evidence})");
}
