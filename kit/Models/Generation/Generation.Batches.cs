using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <content>Several prompts at once.</content>
public static partial class Generation
{
    /// <summary>Generates continuations of several prompts at once.</summary>
    /// <remarks>A row is padded after its stop token; generation ends when all rows have stopped.</remarks>
    /// <param name="model">The language model.</param>
    /// <param name="prompts">int64 [batch, time].</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <param name="attentionMask">[batch, time], 0 = padding, which must be on the left; null for none.</param>
    /// <returns>Prompts and new tokens. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// Prompts or mask do not fit the model or each other, or the options are out of range.
    /// </exception>
    public static GeneratedBatch GenerateBatch(
        this ILanguageModel model, Tensor prompts, SamplingOptions? options = null, Tensor? attentionMask = null)
    {
        options = (options ?? new SamplingOptions()).Validated().ForTokens();
        CheckPrompts(model.VocabularySize, prompts, attentionMask);
        CheckLastColumn(attentionMask);
        using var scope = NewDisposeScope();
        using var text = new Continuation(model, prompts, attentionMask, options.MaximumTokens, options.HasInt8Cache);
        using var rows = new BatchRows(options, prompts, attentionMask, text.Tokens.device);
        var logits = new List<Tensor>();
        for (var written = 0; written < options.MaximumTokens && rows.AnyUnfinished(); written++)
            if (Step(text, rows, options.KeepLogits) is { } kept) logits.Add(kept);
        return new GeneratedBatch(
            text.Tokens.clone().MoveToOuterDisposeScope(), logits.Count == 0 ? null : stack(logits, 1).MoveToOuterDisposeScope());
    }

    /// <summary>Generates continuations of several prompts of different lengths at once.</summary>
    /// <remarks>
    /// Shorter prompts are padded on the left; padding is not attended to and counts neither for positions nor for
    /// penalties, so that each row gets the tokens that it would get alone, if they are not sampled.
    /// </remarks>
    /// <param name="model">The language model.</param>
    /// <param name="prompts">Tokens of each prompt, at least one.</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <param name="stops">Called with row and token after each one; true ends the row. Null for no such rule.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <returns>The new tokens of each prompt, including the stop token that ended it.</returns>
    /// <exception cref="ArgumentException">
    /// A prompt is empty or does not fit the model, or the options are out of range.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<IReadOnlyList<GeneratedToken>> GenerateBatch(this ILanguageModel model,
        IReadOnlyList<IReadOnlyList<long>> prompts, SamplingOptions? options = null,
        Func<int, GeneratedToken, bool>? stops = null, CancellationToken cancellation = default)
    {
        options = (options ?? new SamplingOptions()).Validated().ForTokens();
        CheckEach(model.VocabularySize, prompts);
        if (prompts.Count == 0) return [];
        using var scope = NewDisposeScope();
        var (tokens, mask) = PaddedTokens.Left(prompts);
        using var text = new Continuation(model, tokens, mask, options.MaximumTokens, options.HasInt8Cache);
        using var rows = new BatchRows(options, tokens, mask, text.Tokens.device) { Stops = stops };
        for (var written = 0; written < options.MaximumTokens && rows.AnyUnfinished(); written++)
        {
            cancellation.ThrowIfCancellationRequested();
            _ = Step(text, rows, keepLogits: false);
        }
        return rows.Written;
    }

    internal static void CheckEach(int vocabularySize, IReadOnlyList<IReadOnlyList<long>> prompts)
    {
        for (var row = 0; row < prompts.Count; row++)
            if (prompts[row].Count == 0)
                throw new ArgumentException($"Prompt {row} of {prompts.Count} is empty; expected at least one token.",
                    nameof(prompts));
            else CheckPrompt(vocabularySize, prompts[row]);
    }

    private static void CheckLastColumn(Tensor? attentionMask)
    {
        using var scope = NewDisposeScope();
        if (attentionMask is not null && attentionMask[.., ^1].eq(0).any().item<bool>())
            throw new ArgumentException("The attention mask ends in padding; "
                + "prompts must be padded on the left.", nameof(attentionMask));
    }

    private static Tensor? Step(Continuation text, BatchRows rows, bool keepLogits)
    {
        using var scope = NewDisposeScope();
        var step = text.Next();   // [batch, vocabulary]
        text.Add(rows.Choose(step));
        return keepLogits ? step.MoveToOuterDisposeScope() : null;
    }
}
