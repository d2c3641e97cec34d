namespace ResearchKit.Data;

/// <summary>How one column becomes features.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Names">Names of its features.</param>
/// <param name="Categories">The texts that have a feature; null for a column of numbers.</param>
/// <param name="Missing">What takes the place of a missing number.</param>
/// <param name="Mean">Is subtracted.</param>
/// <param name="Deviation">What is left is divided by it.</param>
/// <param name="HasFlag">Whether the last feature is 1 where the value is missing.</param>
internal sealed record FeatureColumn(string Name, IReadOnlyList<string> Names, IReadOnlyDictionary<string, int>? Categories,
    double Missing, double Mean, double Deviation, bool HasFlag)
{
    /// <summary>Returns why a column cannot be a feature; null if it can.</summary>
    public static string? Refusal(Column column, TableFeatureOptions options)
    {
        if (column.Missing == column.Count) return $"{column.Name} (no values)";
        if (column.Type != ColumnType.Text) return null;
        var count = column.Texts().Where(text => text is not null).Distinct().Count();
        return count > options.MaximumCategories ? $"{column.Name} ({count} distinct texts)" : null;
    }

    public static FeatureColumn Learn(Column column, TableFeatureOptions options, string table)
    {
        var hasFlag = options.FlagMissing && column.Missing > 0;
        string[] flag = hasFlag ? [$"{column.Name} is missing"] : [];
        if (column.Type == ColumnType.Text)
        {
            string[] texts = [.. TableSet.Classes([.. column.Texts().Where(text => text is not null).Select(text => text!)])];
            return new FeatureColumn(column.Name, [.. texts.Select(text => $"{column.Name}={text}"), .. flag],
                texts.Select((text, at) => (text, at)).ToDictionary(one => one.text, one => one.at), 0, 0, 1, hasFlag);
        }
        double[] known = [.. column.Numbers().Where(value => !double.IsNaN(value)).Order()];
        if (known.FirstOrDefault(value => !double.IsFinite(value)) is var odd && !double.IsFinite(odd))
            throw new InvalidDataException($"Column '{column.Name}' of {table} holds {odd}; expected finite numbers.");
        var mean = known.Average();
        var deviation = Math.Sqrt(known.Average(value => (value - mean) * (value - mean)));
        var missing = options.Imputation switch
        {
            Imputation.Mean => mean,
            Imputation.Median => (known[(known.Length - 1) / 2] + known[known.Length / 2]) / 2,
            _ => double.NaN,
        };
        var (shift, scale) = options.Standardize ? (mean, deviation > 0 ? deviation : 1) : (0, 1);
        return new FeatureColumn(column.Name, [column.Name, .. flag], null, missing, shift, scale, hasFlag);
    }

    /// <summary>Writes the features of all rows.</summary>
    /// <param name="column">The column of the same name.</param>
    /// <param name="values">[rows, features].</param>
    /// <param name="first">The first feature of this column.</param>
    /// <param name="table">Name of the table.</param>
    public void Write(Column column, float[,] values, int first, string table)
    {
        if (Categories is not null)
        {
            var texts = column.Texts();
            for (var row = 0; row < texts.Count; row++)
                if (texts[row] is { } text && Categories.TryGetValue(text, out var at)) values[row, first + at] = 1;
        }
        else
        {
            if (column.Type == ColumnType.Text && column.Missing < column.Count)
                throw new InvalidDataException($"Column '{Name}' of {table} holds texts, such as "
                    + $"'{column.Texts().First(text => text is not null)}'; in the training part it holds numbers.");
            var numbers = column.Type == ColumnType.Text ? Enumerable.Repeat(double.NaN, column.Count).ToArray()
                : column.Numbers();
            for (var row = 0; row < numbers.Length; row++)
                values[row, first] = (float)(((double.IsNaN(numbers[row]) ? Missing : numbers[row]) - Mean) / Deviation);
        }
        for (var row = 0; HasFlag && row < column.Count; row++)
            values[row, first + Names.Count - 1] = column.IsMissing(row) ? 1 : 0;
    }
}
