using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>Divides a table into a training and a test part. A seed gives the same division on every machine.</summary>
public static class TableSplits
{
    /// <summary>Divides the rows at random.</summary>
    /// <param name="table">The table.</param>
    /// <param name="testShare">Share of the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <param name="stratify">
    /// Column whose values have the same shares in both parts, such as the label; null for none. Missing values are a stratum
    /// too.
    /// </param>
    /// <exception cref="ArgumentException">The share is out of range, or a part would be empty.</exception>
    public static (Table Train, Table Test) Split(this Table table, double testShare = 0.2, int seed = 1337,
        string? stratify = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        var strata = stratify is null ? new string?[table.RowCount] : table[stratify].Texts();
        var tests = new HashSet<int>();
        var index = 0;
        foreach (var stratum in Enumerable.Range(0, table.RowCount).GroupBy(row => strata[row])
            .OrderBy(group => group.Key, StringComparer.Ordinal))
            tests.UnionWith(Chosen([.. stratum], testShare, seed, index++));
        return table.Parts(tests.Contains, testShare);
    }

    /// <summary>Divides the rows so that all rows with the same value of a column are in the same part.</summary>
    /// <param name="table">The table.</param>
    /// <param name="column">Column that names the group: a patient, a speaker, a document.</param>
    /// <param name="testShare">Share of the groups in the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <exception cref="ArgumentException">The share is out of range, or a part would be empty.</exception>
    /// <exception cref="InvalidDataException">A row has no group.</exception>
    public static (Table Train, Table Test) SplitByGroup(this Table table, string column, double testShare = 0.2, int seed = 1337)
    {
        ArgumentNullException.ThrowIfNull(table);
        var groups = table.Complete(column).Texts();
        string[] names = [.. groups.Select(group => group!).Distinct().Order(StringComparer.Ordinal)];
        var tests = Chosen([.. Enumerable.Range(0, names.Length)], testShare, seed, 0)
            .Select(number => names[number]).ToHashSet();
        return table.Parts(row => tests.Contains(groups[row]!), testShare);
    }

    /// <summary>Divides the rows by time: the latest are the test part. Rows of the same time are in the same part.</summary>
    /// <param name="table">The table.</param>
    /// <param name="column">Column of dates or numbers.</param>
    /// <param name="testShare">
    /// Share of the test part, above 0 and below 1. The rows at the boundary are in the training part.
    /// </param>
    /// <exception cref="ArgumentException">The share is out of range, or a part would be empty.</exception>
    /// <exception cref="InvalidDataException">A row has no time.</exception>
    /// <exception cref="InvalidOperationException">The column holds texts.</exception>
    public static (Table Train, Table Test) SplitByTime(this Table table, string column, double testShare = 0.2)
    {
        ArgumentNullException.ThrowIfNull(table);
        Check(testShare);
        var times = table.Complete(column);
        if (times.Type is ColumnType.Text or ColumnType.Boolean) times.Dates();   // says what it holds
        var values = times.Numbers();
        var last = values.Order().ElementAtOrDefault(Math.Max(0, values.Length - (int)Math.Round(values.Length * testShare) - 1));
        return table.Parts(row => values[row] > last, testShare);
    }

    private static Column Complete(this Table table, string column)
    {
        var known = table[column];
        for (var row = 0; row < known.Count; row++)
            if (known.IsMissing(row))
                throw new InvalidDataException($"Row {row + 1} of {table.Name} has no value in column '{column}', "
                    + "by which it is divided. "
                    + $"{nameof(Table.WithoutMissing)}(\"{column}\") leaves such rows out.");
        return known;
    }

    private static IEnumerable<int> Chosen(IReadOnlyList<int> items, double share, int seed, int stream)
    {
        Check(share);
        var order = new long[items.Count];
        for (var at = 0; at < order.Length; at++) order[at] = items[at];
        Shuffle.InPlace(order, seed, stream);
        return order.Take((int)Math.Round(order.Length * share)).Select(item => (int)item);
    }

    private static void Check(double share) => Require.That(share is > 0 and < 1, share, "testShare", "above 0 and below 1");

    private static (Table Train, Table Test) Parts(this Table table, Func<int, bool> isTest, double share)
    {
        var (train, test) = (table.Where(row => !isTest(row)), table.Where(isTest));
        return train.RowCount > 0 && test.RowCount > 0 ? (train, test) : throw new ArgumentException(
            FormattableString.Invariant($"A test part of {share} leaves a part of the {table.RowCount} rows ")
            + $"of {table.Name} empty.");
    }
}
