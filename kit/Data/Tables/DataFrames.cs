using Microsoft.Data.Analysis;

namespace ResearchKit.Data;

/// <summary>Tables as data frames of Microsoft.Data.Analysis, and back.</summary>
public static class DataFrames
{
    /// <summary>Makes a table of a data frame. Whole numbers of more digits than a double holds become texts.</summary>
    internal static Table Table(DataFrame frame, string name) => new(frame.Columns.Select(Typed), name);

    /// <summary>
    /// Makes a data frame with columns of double, bool, DateTime and string; a missing value is null.
    /// </summary>
    public static DataFrame ToDataFrame(this Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return new DataFrame(table.Columns.Select(Framed));
    }

    private static Column Typed(DataFrameColumn column)
    {
        var values = Enumerable.Range(0, checked((int)column.Length)).Select(row => column[row]).ToList();
        if (column.DataType == typeof(bool)) return Column.Of(column.Name, values.Select(value => (bool?)value));
        if (column.DataType == typeof(DateTime)) return Column.Of(column.Name, values.Select(value => (DateTime?)value));
        return column.IsNumericColumn() && !values.Any(LosesDigits)
            ? Column.Of(column.Name, values.Select(value => value is null ? double.NaN : Convert.ToDouble(value, null)))
            : Column.Of(column.Name, values.Select(value => value is null ? null : Convert.ToString(value,
                System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static bool LosesDigits(object? value) => value switch
    {
        long number => number is > 1L << 53 or < -(1L << 53),
        ulong number => number > 1UL << 53,
        _ => false,
    };

    private static DataFrameColumn Framed(Column column) => column.Type switch
    {
        ColumnType.Number => new DoubleDataFrameColumn(column.Name, column.Numbers().Select(value => double.IsNaN(value) ? null
            : (double?)value)),
        ColumnType.Boolean => new BooleanDataFrameColumn(column.Name,
            column.Numbers().Select(value => double.IsNaN(value) ? null : (bool?)(value > 0))),
        ColumnType.Date => new DateTimeDataFrameColumn(column.Name, column.Dates()),
        _ => new StringDataFrameColumn(column.Name, column.Texts()),
    };
}
