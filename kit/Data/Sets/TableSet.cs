using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>A table of numeric features with a class label for each row.</summary>
/// <param name="Features">Float32 [count, features]; NaN where a cell is empty.</param>
/// <param name="Labels">
/// Int64 [count], indexes into <paramref name="ClassNames"/>; or, for a numeric target, float32 [count, 1].
/// </param>
/// <param name="FeatureNames">Names of the features.</param>
/// <param name="ClassNames">Name of each class, by label; empty for a numeric target.</param>
public sealed record TableSet(Tensor Features, Tensor Labels, IReadOnlyList<string> FeatureNames,
    IReadOnlyList<string> ClassNames) : IDisposable
{
    /// <summary>More distinct texts than this among numbers are names, such as house numbers, and no slips.</summary>
    internal const int MostSlips = 5;

    /// <summary>Number of rows.</summary>
    public long Count => Features.shape[0];

    /// <summary>
    /// Opens a tabular data set: iris, wine, breast-cancer, spambase or penguins. The label is its last column, or
    /// the first of penguins.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The data set does not exist.</exception>
    public static TableSet Open(string name)
    {
        var set = DataSets.Open(name);
        var table = CsvTable.Parse(set.ReadText(set.Files[0].Name), name: set.Files[0].Name);
        return FromTable(table, name == "penguins" ? "species" : table.Columns[^1]);
    }

    /// <summary>Reads a file with one row for each example.</summary>
    /// <param name="path">A CSV or tab-separated file; its first line names the columns.</param>
    /// <param name="label">Name of the label column.</param>
    /// <inheritdoc cref="FromTable"/>
    public static TableSet Read(string path, string label) => FromTable(CsvTable.Read(path), label);

    /// <summary>Converts a table to features and labels. Rows without a label are left out.</summary>
    /// <param name="table">
    /// The table. A numeric column becomes a feature, with NaN for missing values; a column of text becomes one-hot
    /// features, one for each distinct text.
    /// </param>
    /// <param name="label">
    /// Name of the label column. Classes are numbered in numerical order, or in the order of their names.
    /// </param>
    /// <exception cref="KeyNotFoundException">There is no column <paramref name="label"/>.</exception>
    /// <exception cref="InvalidDataException">
    /// Most cells of a column are numbers, but one is not; the message names it.
    /// </exception>
    public static TableSet FromTable(CsvTable table, string label)
    {
        ArgumentNullException.ThrowIfNull(table);
        var all = table.Texts(label);
        var kept = Enumerable.Range(0, all.Count).Where(row => !CsvNumbers.IsMissing(all[row])).ToArray();
        var labels = kept.Select(row => all[row].Trim()).ToArray();
        var classes = Classes(labels);
        var (names, columns) = (new List<string>(), new List<float[]>());
        foreach (var column in table.Columns.Where(column => column != label))
            foreach (var (name, values) in FeaturesOf(table, column))
            {
                names.Add(name);
                columns.Add(values);
            }
        var numbers = new float[kept.Length, columns.Count];
        for (var row = 0; row < kept.Length; row++)
            for (var column = 0; column < columns.Count; column++) numbers[row, column] = columns[column][kept[row]];
        return new TableSet(tensor(numbers), tensor(labels.Select(name => (long)classes.IndexOf(name)).ToArray()), names,
            classes);
    }

    /// <summary>
    /// Returns the features of a column: the column itself, or one for each of its distinct texts.
    /// </summary>
    private static IEnumerable<(string Name, float[] Values)> FeaturesOf(CsvTable table, string column)
    {
        if (table.IsNumeric(column)) return [(column, [.. table.Numbers(column).Select(value => (float)value)])];
        var cells = table.Texts(column);
        var present = cells.Where(cell => !CsvNumbers.IsMissing(cell)).ToList();
        if (CsvNumbers.Slips([.. present.Select(cell => cell.Trim())]) is ({ Length: <= MostSlips }, var count)
            && count > present.Count / 2)
            throw new InvalidDataException($"{table.NotANumber(column, cells)} {count} of its {present.Count} "
                + "cells are numbers.");
        return present.Distinct().Order(StringComparer.Ordinal).Select(value =>
            ($"{column}={value}",
                cells.Select(cell => CsvNumbers.IsMissing(cell) ? float.NaN : cell == value ? 1f : 0f).ToArray()));
    }

    /// <summary>Returns the distinct labels, in the order of numbers if they are numbers.</summary>
    internal static List<string> Classes(IReadOnlyList<string> labels)
    {
        var names = labels.Distinct().ToList();
        return CsvNumbers.Parse(names, decimalComma: null) is { } numbers
            ? [.. names.Zip(numbers).OrderBy(pair => pair.Second).Select(pair => pair.First)]
            : [.. names.Order(StringComparer.Ordinal)];
    }

    /// <summary>The rows as examples for a loader or an evaluation.</summary>
    public IExamples Examples => new TensorExamples(Features, Labels);

    /// <summary>Divides the rows at random into a training and a test part.</summary>
    /// <param name="testShare">Share of the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <param name="stratified">Whether each class is divided by itself, so that both parts have its share.</param>
    /// <exception cref="ArgumentException">The share is out of range, or a part would be empty.</exception>
    public (TableSet Train, TableSet Test) Split(double testShare = 0.2, int seed = 1337, bool stratified = true)
    {
        Require.That(testShare is > 0 and < 1, testShare, nameof(testShare), "above 0 and below 1");
        var labels = ClassNames.Count > 0 ? Labels.data<long>().ToArray() : new long[Count];
        var tests = new HashSet<long>();
        foreach (var group in Enumerable.Range(0, labels.Length).GroupBy(row => stratified ? labels[row] : 0)
            .OrderBy(group => group.Key))
        {
            var order = group.Select(row => (long)row).ToArray();
            Shuffle.InPlace(order, seed, group.Key);
            tests.UnionWith(order.Take((int)Math.Round(order.Length * testShare)));
        }
        if (tests.Count == 0 || tests.Count == labels.Length)
            throw new ArgumentException($"A test part of {testShare} leaves a part of the {labels.Length} rows empty.",
                nameof(testShare));
        var rows = Enumerable.Range(0, labels.Length).Select(row => (long)row).ToList();
        return (Rows([.. rows.Where(row => !tests.Contains(row))]), Rows([.. rows.Where(tests.Contains)]));
    }

    /// <summary>The features as (x − mean) / standard deviation; a missing value becomes the mean, 0.</summary>
    /// <param name="by">The part whose mean and deviation are taken: the training part, so that nothing of the test part leaks.
    /// Null for this.</param>
    public TableSet Standardized(TableSet? by = null)
    {
        using var scope = NewDisposeScope();
        var known = (by ?? this).Features.to(float64);
        var present = known.isnan().logical_not();
        var count = present.sum(dim: 0).clamp_min(1);
        var mean = known.nan_to_num(0).sum(dim: 0) / count;
        var deviation = (((known - mean).nan_to_num(0).square().sum(dim: 0)) / count).sqrt();
        var scaled = (Features.to(float64) - mean) / where(deviation > 0, deviation, ones_like(deviation));
        return this with
        {
            Features = scaled.nan_to_num(0).to(float32).MoveToOuterDisposeScope(),
            Labels = Labels.clone().MoveToOuterDisposeScope()
        };
    }

    private TableSet Rows(long[] rows)
    {
        using var numbers = tensor(rows);
        return this with { Features = Features.index_select(0, numbers), Labels = Labels.index_select(0, numbers) };
    }

    /// <summary>Returns a new set of the rows without missing values.</summary>
    public TableSet WithoutMissing()
    {
        using var scope = NewDisposeScope();
        var whole = Features.isnan().any(1).logical_not();
        return this with
        {
            Features = Features[whole].MoveToOuterDisposeScope(),
            Labels = Labels[whole].MoveToOuterDisposeScope()
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Features.Dispose();
        Labels.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Count} rows of {FeatureNames.Count} features {Features.ShapeText()}, "
        + (ClassNames.Count > 0 ? $"{ClassNames.Count} classes" : "a numeric target");
}
