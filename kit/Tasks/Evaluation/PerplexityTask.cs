namespace ResearchKit.Tasks;

/// <summary>A task that measures how well a model predicts texts.</summary>
/// <remarks>
/// The definitions are those of lm-evaluation-harness ("rolling" log-likelihood): each document is read on its own; sums of
/// log-probabilities, words and bytes are taken over all documents, and then divided.
/// </remarks>
public sealed record PerplexityTask : IEvaluationTask
{
    /// <inheritdoc/>
    public required string Name { get; init; }

    /// <summary>The texts.</summary>
    public required IReadOnlyList<string> Documents { get; init; }

    /// <summary>Tokens that the model reads at once; null for its context length.</summary>
    public int? Window { get; init; }

    /// <summary>New tokens of each window after the first; null for the whole window, as in lm-evaluation-harness.</summary>
    public int? Stride { get; init; }

    /// <inheritdoc/>
    public TaskResult Evaluate(TextScoring scoring, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (Documents.Count == 0) throw new ArgumentException($"The task '{Name}' has no documents; expected at least one.");
        var scores = new List<TextScore>();
        foreach (var document in Documents)
        {
            scores.Add(scoring.Perplexity(document, Window, Stride, cancellation: cancellation));
            progress?.Report((double)scores.Count / Documents.Count);
        }
        TaskMetric Metric(string name, string unit, Func<TextScore, double> of) => new(name, of(Sum(scores)),
            StandardErrors.Bootstrapped(scores, drawn => of(Sum(drawn))), unit, HigherIsBetter: false);
        return new TaskResult(Name, Documents.Count, 0,
        [
            Metric("word_perplexity", "per word", score => score.WordPerplexity),
            Metric("byte_perplexity", "per byte", score => Math.Exp(-score.LogProbability / score.Bytes)),
            Metric("bits_per_byte", "bits per byte", score => score.BitsPerByte),
            Metric("token_perplexity", "per token", score => score.Perplexity),
        ]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Documents.Count:N0} texts";

    private static TextScore Sum(IReadOnlyList<TextScore> scores) => new(scores.Sum(score => score.LogProbability),
        scores.Sum(score => score.Tokens), scores.Sum(score => score.Bytes), scores.Sum(score => score.Words));
}
