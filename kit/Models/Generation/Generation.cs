using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Text generation with an <see cref="ILanguageModel"/>.</summary>
public static partial class Generation
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
        options = (options ?? new SamplingOptions()).Validated().ForTokens();
        CheckPrompt(model.VocabularySize, prompt);
        return Write(model, [.. prompt], options);
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

    private static IEnumerable<GeneratedToken> Write(ILanguageModel model, long[] prompt, SamplingOptions options)
    {
        using var text = Begin(model, prompt, options);
        using var sampler = new Sampler(options, text.Tokens.device);
        var history = new TokenHistory(prompt);
        for (var written = 0; written < options.MaximumTokens && !options.IsComplete(history); written++)
        {
            var next = Step(text, sampler, history);
            yield return next;
            if (options.StopTokens.Contains(next.Id)) yield break;
        }
    }

    private static Continuation Begin(ILanguageModel model, long[] prompt, SamplingOptions options)
    {
        using var scope = NewDisposeScope();
        return new Continuation(model, tensor(prompt).unsqueeze(0), null, options.MaximumTokens, options.HasInt8Cache);
    }

    private static GeneratedToken Step(Continuation text, Sampler sampler, TokenHistory history)
    {
        using var scope = NewDisposeScope();
        var next = sampler.Choose(text.Next()[0], history);
        text.Add([next.Id]);
        history.Add(next.Id);
        return next;
    }
}
