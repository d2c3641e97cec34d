using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>A table as numbers, and the class of each row.</summary>
/// <param name="Features">Float32 [count, features]; NaN where a cell is empty.</param>
/// <param name="Labels">Int64 [count]; numbers of <paramref name="ClassNames"/>.</param>
/// <param name="FeatureNames">What the columns mean.</param>
/// <param name="ClassNames">What the labels mean.</param>
public sealed record TableSet(Tensor Features, Tensor Labels, IReadOnlyList<string> FeatureNames, IReadOnlyList<string> ClassNames) : IDisposable
{
    /// <summary>Number of rows.</summary>
    public long Count => Features.shape[0];

    /// <summary>A tabular data set: iris, wine, breast-cancer, spambase or penguins; its last column, or penguins' first, is the class.</summary>
    /// <exception cref="KeyNotFoundException">There is no such data set.</exception>
    public static TableSet Open(string name)
    {
        var set = DataSets.Open(name);
        var table = CsvTable.Parse(set.ReadText(set.Files[0].Name), name: set.Files[0].Name);
        return FromTable(table, name == "penguins" ? "species" : table.Columns[^1]);
    }

    /// <param name="table">A column of numbers is a feature; one of texts is a feature for each text it holds, 1 where a row has it.</param>
    /// <param name="label">The column that holds the class; classes are numbered in the order of their names.</param>
    /// <exception cref="KeyNotFoundException">There is no column <paramref name="label"/>.</exception>
    public static TableSet FromTable(CsvTable table, string label)
    {
        var labels = table.Texts(label);
        var classes = labels.Distinct().Order(StringComparer.Ordinal).ToList();
        var (names, columns) = (new List<string>(), new List<float[]>());
        foreach (var column in table.Columns.Where(column => column != label))
        {
            if (table.IsNumeric(column))
            {
                names.Add(column);
                columns.Add([.. table.Numbers(column).Select(value => (float)value)]);
                continue;
            }
            var cells = table.Texts(column);
            foreach (var value in cells.Where(cell => cell != "").Distinct().Order(StringComparer.Ordinal))
            {
                names.Add($"{column}={value}");
                columns.Add([.. cells.Select(cell => cell == "" ? float.NaN : cell == value ? 1f : 0f)]);
            }
        }
        var values = new float[table.Rows.Count, columns.Count];
        for (var row = 0; row < table.Rows.Count; row++)
            for (var column = 0; column < columns.Count; column++) values[row, column] = columns[column][row];
        return new TableSet(tensor(values), tensor(labels.Select(name => (long)classes.IndexOf(name)).ToArray()), names, classes);
    }

    /// <summary>The rows without an empty cell, as a set of its own.</summary>
    public TableSet WithoutMissing()
    {
        using var scope = NewDisposeScope();
        var whole = Features.isnan().any(1).logical_not();
        return this with { Features = Features[whole].MoveToOuterDisposeScope(), Labels = Labels[whole].MoveToOuterDisposeScope() };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Features.Dispose();
        Labels.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} rows of {FeatureNames.Count} features {Features.ShapeText()}, {ClassNames.Count} classes";
}
