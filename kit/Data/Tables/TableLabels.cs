namespace ResearchKit.Data;

/// <summary>Reads the label column of a table.</summary>
internal static class TableLabels
{
    private const int MostFractions = 20;   // distinct fractions: more are no classes

    /// <summary>Returns the names of the classes, by label.</summary>
    public static IReadOnlyList<string> Classes(Table training, string label)
    {
        var column = training[label];
        string[] present = [.. column.Texts().Where(text => text is not null).Select(text => text!)];
        if (present.Length == 0) throw new InvalidDataException($"No row of {training.Name} has a label in column '{label}'.");
        var names = TableSet.Classes(present);
        if (column.Type is ColumnType.Number && names.Count > MostFractions
            && column.Numbers().Any(value => !double.IsNaN(value) && value != Math.Floor(value)))
            throw new InvalidDataException($"The label '{label}' of {training.Name} has {names.Count} distinct numbers, such as "
                + $"{present[0]}, which are no classes. To predict the number, set "
                + $"{nameof(TableFeatureOptions)}.{nameof(TableFeatureOptions.NumericTarget)}.");
        return names;
    }

    /// <summary>Returns the class of each row.</summary>
    public static long[] Numbers(Table table, string label, IReadOnlyList<string> classes)
    {
        var numbers = classes.Select((name, number) => (name, number)).ToDictionary(one => one.name, one => (long)one.number);
        return [.. table[label].Texts().Select((text, row) => numbers.TryGetValue(text!, out var number) ? number
            : throw new InvalidDataException($"{table.Name} has the label '{text}' in column '{label}'; the training part has "
                + $"{string.Join(", ", classes.Take(20))}{(classes.Count > 20 ? ", …" : "")}."))];
    }

    /// <summary>Returns the target of each row.</summary>
    public static double[] Numbers(Table table, string label) => table[label].Type is ColumnType.Number or ColumnType.Boolean
        ? table[label].Numbers()
        : throw new InvalidDataException($"The label '{label}' of {table.Name} holds {table[label].Type} values, such as "
            + $"'{table[label].Texts().FirstOrDefault(text => text is not null)}'; a numeric target needs numbers.");
}
