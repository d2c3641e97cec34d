using System.Globalization;
using ResearchKit.Results;

namespace ResearchKit.Training;

/// <summary>The trials of a hyperparameter search.</summary>
/// <param name="Name">Name of the search.</param>
/// <param name="Measure">What the trials are compared by, such as <c>accuracy</c>.</param>
/// <param name="Trials">The trials: those that came furthest first, and of them the best first.</param>
public sealed record SearchResult(string Name, string Measure, IReadOnlyList<TrialResult> Trials)
{
    /// <summary>The best of the trials that came furthest.</summary>
    public TrialResult Best => Trials[0];

    /// <summary>A row for each trial: number, settings, steps, value, status.</summary>
    public ResultTable Table() => new(
        ["trial", .. Trials[0].Trial.Settings.Keys, "steps", Measure, "status"],
        [.. Trials.Select(Row)]);

    private static IReadOnlyList<object?> Row(TrialResult one) =>
        [one.Trial.Number, .. one.Trial.Settings.Values, one.Steps, one.Value, one.Status];

    /// <summary>The table as text.</summary>
    public override string ToString()
    {
        var table = Table();
        var rows = table.Rows.Select(row => row.Select(value => Trial.Text(value!)).ToList());
        List<IReadOnlyList<string>> lines = [table.Columns, .. rows];
        var widths = table.Columns.Select((_, column) => lines.Max(line => line[column].Length)).ToList();
        return string.Join('\n', lines.Select(line =>
            string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()).Prepend(string.Create(
                CultureInfo.InvariantCulture,
                    $"{Name}: {Trials.Count} trials, best {Measure} {Best.Value:0.0000} of {Best.Trial}")));
    }
}
