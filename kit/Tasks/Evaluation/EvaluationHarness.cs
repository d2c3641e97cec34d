using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tasks;

/// <summary>What a model reached at several tasks.</summary>
/// <param name="Results">Results, in the order of the tasks.</param>
public sealed record EvaluationResult(IReadOnlyList<TaskResult> Results)
{
    /// <summary>Returns the result of a task by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is no such task; the message lists those that exist.</exception>
    public TaskResult this[string task] => Results.FirstOrDefault(one => one.Task == task)
        ?? throw new KeyNotFoundException($"There is no task '{task}'; there are "
            + $"{string.Join(", ", Results.Select(one => one.Task))}.");

    /// <inheritdoc/>
    public override string ToString()
    {
        var lines = Results.SelectMany(result => result.Metrics.Select(metric => (string[])
        [
            result.Task, $"{result.Documents}", $"{result.Shots}", metric.Name, Number(metric.Value),
            metric.StandardError is { } error ? $"± {Number(error)}" : "", metric.Unit,
            metric.HigherIsBetter ? "higher" : "lower",
        ])).Prepend(["task", "documents", "shots", "metric", "value", "", "unit", "better"]).ToList();
        var widths = Enumerable.Range(0, 8).Select(column => lines.Max(line => line[column].Length)).ToList();
        return string.Join('\n', lines.Select(line =>
            string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}

/// <summary>Measures language models with tasks, after lm-evaluation-harness.</summary>
/// <remarks>Gao et al., 2021, https://doi.org/10.5281/zenodo.5371628.</remarks>
public static class EvaluationHarness
{
    /// <summary>Runs tasks one after the other.</summary>
    /// <param name="model">The language model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="tasks">The tasks.</param>
    /// <param name="batchSize">Number of texts or windows that are processed at once.</param>
    /// <param name="progress">Receives the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <exception cref="ArgumentException">A task has no documents, or one does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static EvaluationResult Evaluate(this ILanguageModel model, ITokenizer tokenizer, IReadOnlyList<IEvaluationTask> tasks,
        int batchSize = 8, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        var scoring = new TextScoring(model, tokenizer) { BatchSize = batchSize };
        var results = new List<TaskResult>();
        foreach (var task in tasks)
        {
            var own = progress is null ? null : new PartOf(results.Count, tasks.Count, progress);
            results.Add(task.Evaluate(scoring, own, cancellation));
        }
        return new EvaluationResult(results);
    }

    /// <summary>Reports the share of one task as that of all tasks.</summary>
    private sealed class PartOf(int done, int all, IProgress<double> progress) : IProgress<double>
    {
        public void Report(double value) => progress.Report((done + value) / all);
    }
}
