namespace ResearchKit.Training;

/// <summary>Results side by side: a row for each thing that was tried, a column for each thing that was measured.</summary>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Rows">Values; as many in each row as there are columns.</param>
public sealed record ResultTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows)
{
    /// <summary>The table of some records: their public properties, in the order in which they are declared.</summary>
    public static ResultTable Of<T>(IEnumerable<T> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var properties = typeof(T).GetProperties().Where(property => property.GetIndexParameters().Length == 0).ToList();
        return new ResultTable(
            [.. properties.Select(property => property.Name)],
            [.. records.Select(record => properties.Select(property => property.GetValue(record)).ToList())]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Rows.Count} rows of {string.Join(", ", Columns)}";
}
