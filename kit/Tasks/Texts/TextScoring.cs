using System.Text;
using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tasks;

/// <summary>How probable given texts are under a language model: answers to a prompt, and long texts.</summary>
/// <remarks>
/// Text is cut into tokens as lm-evaluation-harness does it: spaces at the end of a prompt become the beginning of the answer,
/// prompt and answer are encoded together, and the answer's tokens are those behind as many as the prompt alone has.
/// </remarks>
/// <param name="model">The language model.</param>
/// <param name="tokenizer">Its tokenizer.</param>
public sealed class TextScoring(ILanguageModel model, ITokenizer tokenizer)
{
    /// <summary>Number of texts or windows that are processed at once.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>
    /// Token before a text that has no prompt: by default the tokenizer's beginning-of-text token, else its end-of-text token,
    /// else none.
    /// </summary>
    public long? PrefixToken { get; init; } = tokenizer.Special.Beginning ?? tokenizer.Special.End;

    /// <summary>The language model.</summary>
    public ILanguageModel Model => model;

    /// <summary>Scores each answer to a prompt.</summary>
    /// <param name="prompt">The prompt; empty if the answers stand alone, which needs a <see cref="PrefixToken"/>.</param>
    /// <param name="answers">The answers; where a word begins, its space belongs to the answer.</param>
    /// <exception cref="ArgumentException">
    /// An answer is empty, has no token of its own, or is longer than the context length.
    /// </exception>
    public IReadOnlyList<AnswerScore> Score(string prompt, params IReadOnlyList<string> answers) =>
        Score([.. answers.Select(answer => (prompt, answer))]);

    /// <summary>Scores pairs of prompt and answer.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="progress">Receives the number of finished pairs.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/exception"/>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<AnswerScore> Score(IReadOnlyList<(string Prompt, string Answer)> pairs, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        var tokens = pairs.Select(pair => Encode(pair.Prompt, pair.Answer)).ToList();
        return [.. model.Score(tokens, BatchSize, progress, cancellation).Select((score, at) =>
            new AnswerScore(pairs[at].Answer, score.LogProbability, score.LogProbabilities.Count, score.IsGreedy))];
    }

    /// <summary>Chooses the most probable of several answers to a prompt.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="answers">The answers, at least one; where a word begins, its space belongs to the answer.</param>
    /// <returns>The answers with their log-probabilities and their probabilities among each other.</returns>
    public AnswerChoice Choose(string prompt, params IReadOnlyList<string> answers)
    {
        if (answers.Count == 0) throw new ArgumentException("Got no answers; expected at least one.", nameof(answers));
        return new AnswerChoice(prompt, Score(prompt, answers));
    }

    /// <summary>Measures the perplexity of a text of any length, in windows that slide over it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="window">Tokens that the model reads at once; null for its context length.</param>
    /// <param name="stride">
    /// New tokens of each window after the first; null for the whole window, as in lm-evaluation-harness. Smaller ones give
    /// each token more context, at a higher cost.
    /// </param>
    /// <param name="progress">Receives the number of finished windows.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <exception cref="ArgumentException">The text has fewer than two tokens, or window or stride is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TextScore Perplexity(string text, int? window = null, int? stride = null, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        var tokens = tokenizer.Encode(text);
        if (tokens.Length < (PrefixToken is null ? 2 : 1))
            throw new ArgumentException($"The text has {tokens.Length} tokens; expected one that is not the first.",
                nameof(text));
        var scores = model.ScoreLong(tokens, PrefixToken, window, stride, BatchSize, progress, cancellation);
        // what is not scored does not count
        var unscored = PrefixToken is null ? Encoding.UTF8.GetByteCount(tokenizer.Decode([tokens[0]])) : 0;
        return new TextScore(scores.LogProbability, scores.LogProbabilities.Count, Encoding.UTF8.GetByteCount(text) - unscored,
            Words(text));
    }

    /// <summary>Cuts prompt and answer into tokens.</summary>
    internal (IReadOnlyList<long> Context, IReadOnlyList<long> Continuation) Encode(string prompt, string answer)
    {
        if (answer.Length == 0) throw new ArgumentException($"The answer to '{prompt}' is empty; expected text.", nameof(answer));
        var context = prompt.TrimEnd();
        var whole = tokenizer.Encode(prompt + answer);
        if (context.Length == 0)
            return PrefixToken is { } prefix ? ([prefix], whole)
                : throw new ArgumentException($"The prompt of '{answer}' is empty, "
                + "and the tokenizer has no beginning-of-text or end-of-text token; set PrefixToken.", nameof(prompt));
        var before = tokenizer.Encode(context);
        if (whole.Length <= before.Length)
            throw new ArgumentException($"The answer '{answer}' has no token of its own behind the prompt '{prompt}'.",
                nameof(answer));
        return (before, whole[before.Length..]);
    }

    /// <summary>
    /// Number of words as lm-evaluation-harness counts them: parts between white space, also empty ones at the ends.
    /// </summary>
    private static int Words(string text)
    {
        var words = 1;
        for (var at = 0; at < text.Length; at++)
            if (IsSpace(text[at]) && (at == 0 || !IsSpace(text[at - 1]))) words++;
        return words;
    }

    /// <summary>Python's white space, which has four control characters more.</summary>
    private static bool IsSpace(char value) => char.IsWhiteSpace(value) || value is >= '\x1c' and <= '\x1f';
}
