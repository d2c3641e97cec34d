using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Log-probabilities of given tokens.</summary>
/// <param name="LogProbabilities">Of each scored token given all tokens before it in its window, in nats.</param>
/// <param name="IsGreedy">Whether each scored token is the most probable one.</param>
public sealed record SequenceScore(IReadOnlyList<double> LogProbabilities, bool IsGreedy)
{
    /// <summary>Log-probability of all scored tokens together, in nats.</summary>
    public double LogProbability => LogProbabilities.Sum();

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"{LogProbability:0.####} nats for {LogProbabilities.Count} tokens{(IsGreedy ? ", greedy" : "")}");
}

/// <summary>Log-probabilities of given texts under an <see cref="ILanguageModel"/>.</summary>
public static class Scoring
{
    /// <summary>Computes the log-probability of each continuation given its context.</summary>
    /// <remarks>The model is in evaluation mode meanwhile. A context that is too long loses its first tokens.</remarks>
    /// <param name="model">The language model.</param>
    /// <param name="pairs">Context and continuation, at least one token each.</param>
    /// <param name="batchSize">Number of pairs that are processed at once.</param>
    /// <param name="progress">Receives the number of finished pairs.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <returns>One for each pair, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// A context or continuation is empty, has a token outside the vocabulary, or the continuation is longer than the
    /// context length.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<SequenceScore> Score(this ILanguageModel model,
        IReadOnlyList<(IReadOnlyList<long> Context, IReadOnlyList<long> Continuation)> pairs, int batchSize = 8,
        IProgress<int>? progress = null, CancellationToken cancellation = default) =>
        ScoreAll(model, [.. pairs.Select((pair, index) => Window(model, pair.Context, pair.Continuation, index))], batchSize,
            progress, cancellation);

    /// <summary>
    /// Computes the log-probability of each token of a text of any length, which is read in overlapping windows. Each
    /// token is scored once.
    /// </summary>
    /// <remarks>
    /// The windows are those of lm-evaluation-harness: the first one scores all its tokens, each further one its last
    /// <paramref name="stride"/> tokens, given as many tokens before them as fit into the window.
    /// </remarks>
    /// <param name="model">The language model.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="prefix">
    /// Token before the text, such as the end-of-text token, so that the first token is scored too; null for none.
    /// </param>
    /// <param name="window">Tokens that the model reads at once; null for its context length.</param>
    /// <param name="stride">
    /// Tokens scored in each further window, 1 to <paramref name="window"/>; null for the whole window, which is fastest.
    /// Smaller ones give each token more context.
    /// </param>
    /// <param name="batchSize">Number of windows that are processed at once.</param>
    /// <param name="progress">Receives the number of finished windows.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <returns>A log-probability for each token, without the first one if there is no prefix.</returns>
    /// <exception cref="ArgumentException">Window, stride or a token is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static SequenceScore ScoreLong(this ILanguageModel model, IReadOnlyList<long> tokens, long? prefix = null,
        int? window = null, int? stride = null, int batchSize = 8, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        var length = window ?? model.ContextLength;
        if (length < 1 || length > model.ContextLength)
            throw new ArgumentException($"The window is {length}; expected 1 to the context length {model.ContextLength}.",
                nameof(window));
        if (stride < 1 || stride > length)
            throw new ArgumentException($"The stride is {stride}; expected 1 to the window {length}.", nameof(stride));
        IReadOnlyList<long> read = prefix is { } first ? [first, .. tokens] : tokens;
        if (read.Count > 0) Generation.CheckPrompt(model.VocabularySize, read);
        var parts = ScoreAll(model, [.. ScoredWindow.Rolling(read, length, stride ?? length)], batchSize, progress, cancellation);
        return new SequenceScore([.. parts.SelectMany(part => part.LogProbabilities)], parts.All(part => part.IsGreedy));
    }

    private static ScoredWindow Window(ILanguageModel model, IReadOnlyList<long> context, IReadOnlyList<long> continuation,
        int index)
    {
        if (context.Count == 0 || continuation.Count == 0)
            throw new ArgumentException($"Pair {index} has {context.Count} tokens of context and {continuation.Count} of "
                + "continuation; expected at least one each.");
        if (continuation.Count > model.ContextLength)
            throw new ArgumentException($"The continuation of pair {index} has {continuation.Count} tokens; "
                + $"the context length is {model.ContextLength}.");
        Generation.CheckPrompt(model.VocabularySize, [.. context, .. continuation]);
        return new ScoredWindow(
            [.. context.Concat(continuation).SkipLast(1).TakeLast(model.ContextLength)], [.. continuation]);
    }

    private static SequenceScore[] ScoreAll(ILanguageModel model, IReadOnlyList<ScoredWindow> windows, int batchSize,
        IProgress<int>? progress, CancellationToken cancellation)
    {
        if (batchSize < 1) throw new ArgumentException($"The batch size is {batchSize}; expected at least 1.", nameof(batchSize));
        var scores = new SequenceScore[windows.Count];
        var done = 0;
        // windows of similar length need little padding; the longest first, because they need the most memory
        foreach (var rows in Enumerable.Range(0, windows.Count).OrderByDescending(row => windows[row].Input.Length)
            .Chunk(batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            var found = ScoreBatch(model, [.. rows.Select(row => windows[row])]);
            for (var at = 0; at < rows.Length; at++) scores[rows[at]] = found[at];
            progress?.Report(done += rows.Length);
        }
        return scores;
    }

    private static SequenceScore[] ScoreBatch(ILanguageModel model, ScoredWindow[] windows)
    {
        using var evaluation = new EvaluationMode(model.Network);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // a causal model's earlier tokens do not see the padding behind them
        var tokens = PaddedTokens.Right([.. windows.Select(window => window.Input)]).Tokens.to(Continuation.DeviceOf(model));
        var start = windows.Min(window => window.Start);
        var logits = model.LogitsFrom(tokens, start);   // [batch, time - start, vocabulary]
        return [.. windows.Select((window, row) =>
            ScoreRow(logits[row].narrow(0, window.Start - start, window.Targets.Length), window.Targets))];
    }

    /// <param name="logits">[targets, vocabulary].</param>
    /// <param name="targets">The tokens to score.</param>
    private static SequenceScore ScoreRow(Tensor logits, long[] targets)
    {
        using var scope = NewDisposeScope();
        var ids = tensor(targets, int64, logits.device);
        var log = logits.to(float32).log_softmax(-1).gather(1, ids.unsqueeze(1)).squeeze(1);
        return new SequenceScore([.. log.cpu().data<float>().Select(value => (double)value)],
            logits.argmax(-1).eq(ids).all().item<bool>());
    }
}
