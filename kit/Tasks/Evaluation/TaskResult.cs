using System.Globalization;

namespace ResearchKit.Tasks;

/// <summary>A measured number of a task.</summary>
/// <param name="Name">Name in lm-evaluation-harness, such as <c>acc_norm</c>.</param>
/// <param name="Value">The number.</param>
/// <param name="StandardError">
/// Standard error over the documents; null if there is one document, or for a number that is no estimate.
/// </param>
/// <param name="Unit">Unit of value and error.</param>
/// <param name="HigherIsBetter">Whether a higher number is better.</param>
public sealed record TaskMetric(string Name, double Value, double? StandardError, string Unit, bool HigherIsBetter)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name} {Value:0.####}{(StandardError is { } error ? $" ± {error:0.####}" : "")} {Unit}");
}

/// <summary>What a model reached at one document of a multiple-choice task.</summary>
/// <param name="Prompt">The whole prompt, with its examples.</param>
/// <param name="Scores">Score of each choice.</param>
/// <param name="Chosen">Index of the most probable choice.</param>
/// <param name="Answer">Index of the right choice.</param>
public sealed record TaskAnswer(string Prompt, IReadOnlyList<AnswerScore> Scores, int Chosen, int Answer)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Chosen == Answer ? "right" : "wrong")}: chose '{Scores[Chosen].Answer}', the answer is '{Scores[Answer].Answer}'";
}

/// <summary>What a model reached at a task.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Documents">Number of documents.</param>
/// <param name="Shots">Number of solved examples in each prompt.</param>
/// <param name="Metrics">The numbers.</param>
public sealed record TaskResult(string Task, int Documents, int Shots, IReadOnlyList<TaskMetric> Metrics)
{
    /// <summary>The answer to each document of a multiple-choice task; empty for other tasks.</summary>
    public IReadOnlyList<TaskAnswer> Answers { get; init; } = [];

    /// <summary>Returns a metric by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is no such metric; the message lists those that exist.</exception>
    public TaskMetric this[string metric] => Metrics.FirstOrDefault(one => one.Name == metric)
        ?? throw new KeyNotFoundException($"'{Task}' has no metric '{metric}'; it has "
            + $"{string.Join(", ", Metrics.Select(one => one.Name))}.");

    /// <inheritdoc/>
    public override string ToString() => $"{Task}, {Documents:N0} documents, {Shots} shots\n"
        + string.Join('\n', Metrics.Select(metric => $"  {metric}"));
}
