using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Makes features and labels of a table by what was learnt from its training part alone: means and deviations, the values that
/// replace missing ones, the categories, the classes.
/// </summary>
/// <remarks>
/// <c>var features = TableFeatures.Learn(train, "species"); using var set = features.Apply(test);</c> A column of numbers, truth
/// values or dates (days) becomes one feature. A column of texts becomes one feature for each text of the training part; a text
/// that the training part lacks, and a missing one, is 0 in all of them.
/// </remarks>
public sealed class TableFeatures
{
    private readonly IReadOnlyList<FeatureColumn> columns;
    private readonly string label;
    private readonly bool isNumeric;

    private TableFeatures(Table training, string label, TableFeatureOptions options)
    {
        this.label = label;
        isNumeric = options.NumericTarget;
        ClassNames = isNumeric ? [] : TableLabels.Classes(training, label);
        if (isNumeric) TableLabels.Numbers(training, label);
        foreach (var name in options.Without) _ = training[name];
        var candidates = training.Columns.Where(column => column.Name != label
            && !options.Without.Contains(column.Name)).ToList();
        LeftOut = [.. candidates.Select(column => FeatureColumn.Refusal(column, options)).Where(reason => reason is not null)
            .Select(reason => reason!)];
        columns = [.. candidates.Where(column => FeatureColumn.Refusal(column, options) is null)
            .Select(column => FeatureColumn.Learn(column, options, training.Name))];
        FeatureNames = [.. columns.SelectMany(column => column.Names)];
        if (FeatureNames.Count == 0)
            throw new InvalidDataException($"No column of {training.Name} besides the label '{label}' can be a feature"
                + $"{(LeftOut.Count > 0 ? $": {string.Join(", ", LeftOut)}" : "")}.");
    }

    /// <summary>Learns from the training part.</summary>
    /// <param name="training">The training part.</param>
    /// <param name="label">
    /// Column of the label. Classes are numbered in the order of numbers if they are numbers, else in that of their names.
    /// </param>
    /// <param name="options">How columns become features; null for defaults.</param>
    /// <exception cref="KeyNotFoundException">There is no such column; the message lists those there are.</exception>
    /// <exception cref="InvalidDataException">The label does not fit the task, or no column can be a feature.</exception>
    public static TableFeatures Learn(Table training, string label, TableFeatureOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(training);
        return new TableFeatures(training, label, options ?? new TableFeatureOptions());
    }

    /// <summary>Name of each feature.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Name of each class, by label; empty for a numeric target.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The columns that are no features, each with the reason.</summary>
    public IReadOnlyList<string> LeftOut { get; }

    /// <summary>Makes features and labels. Rows without a label are left out.</summary>
    /// <exception cref="KeyNotFoundException">The table lacks a column; the message lists those it has.</exception>
    /// <exception cref="InvalidDataException">
    /// A label or a type is not one of the training part; the message names it.
    /// </exception>
    public TableSet Apply(Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var labelled = table.WithoutMissing(label);
        var targets = isNumeric
            ? tensor(TableLabels.Numbers(labelled, label).Select(value => (float)value).ToArray(), [labelled.RowCount, 1])
            : tensor(TableLabels.Numbers(labelled, label, ClassNames));
        return new TableSet(Inputs(labelled), targets, FeatureNames, ClassNames);
    }

    /// <summary>Makes the features alone, for rows whose label is not known.</summary>
    /// <returns>Float32 [rows, features].</returns>
    /// <exception cref="KeyNotFoundException">The table lacks a column; the message lists those it has.</exception>
    /// <exception cref="InvalidDataException">A column has another type than in the training part.</exception>
    public Tensor Inputs(Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var values = new float[table.RowCount, FeatureNames.Count];
        var first = 0;
        foreach (var column in columns)
        {
            column.Write(table[column.Name], values, first, table.Name);
            first += column.Names.Count;
        }
        return tensor(values);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{FeatureNames.Count} features of {columns.Count} columns for '{label}'"
        + (isNumeric ? ", a number" : $", {ClassNames.Count} classes")
        + (LeftOut.Count > 0 ? $"; left out: {string.Join(", ", LeftOut)}" : "");
}
