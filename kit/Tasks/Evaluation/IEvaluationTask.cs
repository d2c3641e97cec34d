namespace ResearchKit.Tasks;

/// <summary>A task that measures a language model.</summary>
public interface IEvaluationTask
{
    /// <summary>Name of the task.</summary>
    string Name { get; }

    /// <summary>Runs the task.</summary>
    /// <param name="scoring">The model and its tokenizer.</param>
    /// <param name="progress">Receives the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <exception cref="ArgumentException">The task has no documents, or one does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    TaskResult Evaluate(TextScoring scoring, IProgress<double>? progress = null, CancellationToken cancellation = default);
}
