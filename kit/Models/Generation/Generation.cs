using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Text generation with an <see cref="ILanguageModel"/>.</summary>
public static class Generation
{
    /// <summary>Generates a continuation of a prompt, token by token.</summary>
    /// <remarks>
    /// Up to the context length, each token is processed once (<see cref="KeyValueCache"/>). Beyond it, the model
    /// sees the last <see cref="ILanguageModel.ContextLength"/> tokens, whose positions shift with every new token,
    /// so that all are processed again. The model is in evaluation mode while a token is computed; its mode is
    /// restored afterwards.
    /// </remarks>
    /// <param name="model">The language model.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <returns>The new tokens, each yielded as soon as it is chosen.</returns>
    /// <exception cref="ArgumentException">
    /// The prompt is empty, a token is outside the vocabulary, or the options are out of range.
    /// </exception>
    public static IEnumerable<GeneratedToken> Generate(this ILanguageModel model, IReadOnlyList<long> prompt,
        SamplingOptions? options = null)
    {
        options = (options ?? new SamplingOptions()).Validated();
        CheckPrompt(model.VocabularySize, prompt);
        return Write(model, [.. prompt], options);
    }

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
        options = (options ?? new SamplingOptions()).Validated();
        CheckPrompts(model.VocabularySize, prompts, attentionMask);
        CheckLastColumn(attentionMask);
        using var scope = NewDisposeScope();
        using var text = new Continuation(model, prompts, attentionMask, options.MaximumTokens);
        using var sampler = new Sampler(options, text.Tokens.device);
        var finished = new bool[prompts.shape[0]];
        var logits = new List<Tensor>();
        for (var written = 0; written < options.MaximumTokens && finished.Contains(false); written++)
            Step(text, sampler, options, finished, logits);
        return new GeneratedBatch(
            text.Tokens.clone().MoveToOuterDisposeScope(), logits.Count == 0 ? null : stack(logits, 1).MoveToOuterDisposeScope());
    }

    internal static void CheckPrompt(int vocabularySize, IReadOnlyList<long> prompt)
    {
        if (prompt.Count == 0) throw new ArgumentException("The prompt is empty; expected at least one token.", nameof(prompt));
        foreach (var token in prompt)
            if (token < 0 || token >= vocabularySize)
                throw new ArgumentException($"Token {token} is outside the vocabulary of {vocabularySize}.", nameof(prompt));
    }

    internal static void CheckPrompts(int vocabularySize, Tensor prompts, Tensor? attentionMask)
    {
        Require.Tokens(prompts, null, attentionMask);
        using var scope = NewDisposeScope();
        CheckPrompt(vocabularySize, [prompts.min().item<long>(), prompts.max().item<long>()]);
    }

    private static void CheckLastColumn(Tensor? attentionMask)
    {
        using var scope = NewDisposeScope();
        if (attentionMask is not null && attentionMask[.., ^1].eq(0).any().item<bool>())
            throw new ArgumentException("The attention mask ends in padding; "
                + "prompts must be padded on the left.", nameof(attentionMask));
    }

    private static IEnumerable<GeneratedToken> Write(ILanguageModel model, long[] prompt, SamplingOptions options)
    {
        using var text = Begin(model, prompt, options);
        using var sampler = new Sampler(options, text.Tokens.device);
        for (var written = 0; written < options.MaximumTokens; written++)
        {
            var next = Step(text, sampler);
            yield return next;
            if (next.Id == options.StopToken) yield break;
        }
    }

    private static Continuation Begin(ILanguageModel model, long[] prompt, SamplingOptions options)
    {
        using var scope = NewDisposeScope();
        return new Continuation(model, tensor(prompt).unsqueeze(0), null, options.MaximumTokens);
    }

    private static GeneratedToken Step(Continuation text, Sampler sampler)
    {
        using var scope = NewDisposeScope();
        var next = sampler.Choose(text.Next()[0]);
        text.Add([next.Id]);
        return next;
    }

    private static void Step(Continuation text, Sampler sampler, SamplingOptions options, bool[] finished, List<Tensor> logits)
    {
        using var scope = NewDisposeScope();
        var step = text.Next();   // [batch, vocabulary]
        var next = new long[finished.Length];
        for (var row = 0; row < next.Length; row++)
        {
            next[row] = finished[row] ? options.PadToken : sampler.Choose(step[row]).Id;
            finished[row] |= next[row] == options.StopToken;
        }
        text.Add(next);
        if (options.KeepLogits) logits.Add(step.MoveToOuterDisposeScope());
    }
}
