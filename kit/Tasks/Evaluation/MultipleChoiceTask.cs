using ResearchKit.Data;

namespace ResearchKit.Tasks;

/// <summary>A question with its possible answers.</summary>
/// <param name="Prompt">The question, without a space at its end.</param>
/// <param name="Choices">The answers, without a space at their beginning.</param>
/// <param name="Answer">Index of the right answer.</param>
public sealed record ChoiceDocument(string Prompt, IReadOnlyList<string> Choices, int Answer);

/// <summary>A task with several answers to each question: the model chooses the one that it finds most probable.</summary>
/// <remarks>
/// The definitions are those of lm-evaluation-harness: <c>acc</c> compares the log-probabilities of the whole answers,
/// <c>acc_norm</c> those per character of the answer, <c>acc_bytes</c> those per byte. Of equal ones the first counts.
/// </remarks>
public sealed record MultipleChoiceTask : IEvaluationTask
{
    /// <inheritdoc/>
    public required string Name { get; init; }

    /// <summary>The questions.</summary>
    public required IReadOnlyList<ChoiceDocument> Documents { get; init; }

    /// <summary>Solved questions for the prompts, of a part of the data that is not measured.</summary>
    public IReadOnlyList<ChoiceDocument> Examples { get; init; } = [];

    /// <summary>Number of <see cref="Examples"/> in each prompt, drawn anew for each question.</summary>
    public int Shots { get; init; }

    /// <summary>Seed of the drawing.</summary>
    public int Seed { get; init; } = 1234;

    /// <summary>Text at the beginning of each prompt.</summary>
    public string Description { get; init; } = "";

    /// <summary>Text between a question and its answer.</summary>
    public string Delimiter { get; init; } = " ";

    /// <summary>Text between two questions of a prompt.</summary>
    public string Separator { get; init; } = "\n\n";

    /// <summary>Makes a task of records of any type.</summary>
    /// <param name="name">Name of the task.</param>
    /// <param name="records">The records.</param>
    /// <param name="prompt">How a record becomes a question.</param>
    /// <param name="choices">How a record becomes answers.</param>
    /// <param name="answer">Index of the right answer to a record.</param>
    public static MultipleChoiceTask Of<T>(string name, IEnumerable<T> records, Func<T, string> prompt,
        Func<T, IReadOnlyList<string>> choices, Func<T, int> answer) =>
        new() { Name = name, Documents = [.. records.Select(one => new ChoiceDocument(prompt(one), choices(one), answer(one)))] };

    /// <summary>Returns the prompt of a document: description, solved examples, question.</summary>
    /// <param name="index">Index of the document, which decides on its examples.</param>
    public string Prompt(int index)
    {
        var examples = Draw(index).Select(example => $"{example.Prompt}{Delimiter}{example.Choices[example.Answer]}{Separator}");
        return Description + string.Concat(examples) + Documents[index].Prompt;
    }

    /// <inheritdoc/>
    public TaskResult Evaluate(TextScoring scoring, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        Check();
        var prompts = Enumerable.Range(0, Documents.Count).Select(Prompt).ToList();
        var pairs = Documents.SelectMany((document, at) => document.Choices.Select(choice => (prompts[at], Delimiter + choice)))
            .ToList();
        var scores = scoring.Score(pairs, progress is null ? null : new ShareOf(pairs.Count, progress), cancellation);
        var answers = new List<TaskAnswer>();
        var next = 0;
        foreach (var (document, prompt) in Documents.Zip(prompts))
        {
            var own = document.Choices.Select((choice, at) => scores[next + at] with { Answer = choice }).ToList();
            next += own.Count;
            answers.Add(new TaskAnswer(prompt, own, Best(own, score => score.LogProbability), document.Answer));
        }
        return new TaskResult(Name, Documents.Count, Shots,
        [
            Accuracy("acc", answers, score => score.LogProbability), Accuracy("acc_norm", answers, score => score.PerCharacter),
            Accuracy("acc_bytes", answers, score => score.PerByte),
            new TaskMetric("chance", Documents.Average(document => 1.0 / document.Choices.Count), null, "share", true),
        ])
        { Answers = answers };
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Documents.Count:N0} questions, {Shots} shots";

    private List<ChoiceDocument> Draw(int index)
    {
        var left = Enumerable.Range(0, Examples.Count).ToList();
        var random = Shuffle.Random(Seed, index);
        var drawn = new List<ChoiceDocument>();
        while (drawn.Count < Shots)
        {
            var at = random.Below(left.Count);
            drawn.Add(Examples[left[at]]);
            left.RemoveAt(at);
        }
        return drawn;
    }

    private void Check()
    {
        if (Documents.Count == 0) throw new ArgumentException($"The task '{Name}' has no documents; expected at least one.");
        if (Shots < 0 || Shots > Examples.Count)
            throw new ArgumentException($"Shots is {Shots}; the task '{Name}' has {Examples.Count} examples.");
        foreach (var document in Documents.Concat(Examples))
            if (document.Answer < 0 || document.Answer >= document.Choices.Count)
                throw new ArgumentException($"The answer to '{document.Prompt}' has the index {document.Answer}; there are "
                    + $"{document.Choices.Count} choices.");
    }

    private static TaskMetric Accuracy(string name, IReadOnlyList<TaskAnswer> answers, Func<AnswerScore, double> score)
    {
        var hits = answers.Select(answer => Best(answer.Scores, score) == answer.Answer ? 1.0 : 0.0).ToList();
        return new TaskMetric(name, hits.Average(), StandardErrors.OfMean(hits), "share", true);
    }

    private static int Best(IReadOnlyList<AnswerScore> scores, Func<AnswerScore, double> score) =>
        Enumerable.Range(0, scores.Count).MaxBy(at => score(scores[at]));
}

/// <summary>Reports a count as a share.</summary>
internal sealed class ShareOf(int all, IProgress<double> progress) : IProgress<int>
{
    public void Report(int value) => progress.Report((double)value / all);
}
