using System.Globalization;

namespace ResearchKit.Results;

/// <summary>A table of results, with a row for each variant and a column for each measurement.</summary>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Rows">Values, one for each column.</param>
public sealed record ResultTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows)
{
    /// <summary>
    /// Makes a table of records, with a column for each public property, in the order of declaration.
    /// </summary>
    public static ResultTable Of<T>(IEnumerable<T> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var properties = typeof(T).GetProperties().Where(property => property.GetIndexParameters().Length == 0).ToList();
        return new ResultTable(
            [.. properties.Select(property => property.Name)],
            [.. records.Select(record => properties.Select(property => property.GetValue(record)).ToList())]);
    }

    /// <summary>
    /// Returns the table as JSON: the names of the columns, and the rows as arrays. Values that are no numbers, truth values
    /// or null
    /// are texts.
    /// </summary>
    public string ToJson() => ResultJson.Write("", "", null, json =>
    {
        json.Texts("columns", Columns);
        json.WriteStartArray("rows");
        foreach (var row in Rows)
        {
            json.WriteStartArray();
            foreach (var value in row) json.Any(value);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    });

    /// <summary>Returns the table as comma-separated values: a line of column names, then a line for each row.</summary>
    public string ToCsv() => Csv.Write(Rows.Select(row => row.Select(value => value switch
    {
        double number => Csv.Number(number),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    })).Prepend(Columns));

    /// <inheritdoc/>
    public override string ToString() => $"{Rows.Count} rows of {string.Join(", ", Columns)}";
}
