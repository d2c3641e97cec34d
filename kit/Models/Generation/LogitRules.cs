using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The rules of <see cref="SamplingOptions"/> that depend on the tokens so far.</summary>
internal static class LogitRules
{
    /// <summary>Penalizes and excludes tokens; without such a rule the logits are returned as they are.</summary>
    /// <param name="options">The rules.</param>
    /// <param name="logits">Float32 [vocabulary].</param>
    /// <param name="history">The tokens so far.</param>
    /// <returns>[vocabulary]; -∞ for an excluded token.</returns>
    /// <exception cref="InvalidOperationException">The rules together exclude every token.</exception>
    public static Tensor Apply(SamplingOptions options, Tensor logits, TokenHistory history)
    {
        logits = Penalized(options, logits, history);
        var free = logits;
        if (options.NoRepeatNgram is { } length) logits = Without(logits, history.Repeating(length));
        if (history.Written.Count < options.MinimumTokens) logits = Without(logits, options.StopTokens);
        if (options.AllowedTokens?.Invoke(history.Written) is { } allowed) logits = Only(logits, allowed);
        if (!ReferenceEquals(free, logits) && !logits.isfinite().any().item<bool>())
            throw new InvalidOperationException($"The options exclude every token after {history.Written.Count} new tokens: "
                + "NoRepeatNgram, MinimumTokens and AllowedTokens leave none.");
        return logits;
    }

    private static Tensor Penalized(SamplingOptions options, Tensor logits, TokenHistory history)
    {
        if (options.RepetitionPenalty is var penalty && penalty != 1 && history.Seen.Count > 0)
        {
            var ids = Ids(history.Seen, logits);
            var old = logits.gather(0, ids);
            logits = logits.scatter(0, ids, where(old < 0, old * penalty, old / penalty));
        }
        if ((options.FrequencyPenalty != 0 || options.PresencePenalty != 0) && history.Counts.Count > 0)
        {
            var ids = Ids(history.Counts.Keys, logits);
            var less = tensor(history.Counts.Values
                .Select(count => (float)(count * options.FrequencyPenalty + options.PresencePenalty)).ToArray(),
                device: logits.device);
            logits = logits.scatter(0, ids, logits.gather(0, ids) - less);
        }
        return logits;
    }

    private static Tensor Without(Tensor logits, IReadOnlyCollection<long> tokens) =>
        tokens.Count == 0 ? logits : logits.index_fill(0, Ids(tokens, logits), double.NegativeInfinity);

    private static Tensor Only(Tensor logits, IReadOnlyCollection<long> tokens)
    {
        var ids = Ids(tokens, logits);
        return full_like(logits, double.NegativeInfinity).scatter(0, ids, logits.gather(0, ids));
    }

    private static Tensor Ids(IEnumerable<long> tokens, Tensor logits)
    {
        var ids = tokens.ToArray();
        foreach (var id in ids)
            if (id < 0 || id >= logits.shape[0])
                throw new ArgumentException($"Token {id} of the options is outside the vocabulary of {logits.shape[0]}.");
        return tensor(ids, int64, logits.device);
    }
}
