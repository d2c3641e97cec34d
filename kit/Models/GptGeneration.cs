using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Writing with a <see cref="Gpt"/>.</summary>
public static class GptGeneration
{
    /// <summary>Writes on from a prompt, a token at a time.</summary>
    /// <remarks>
    /// Up to the context length each token is read once (<see cref="KeyValueCache"/>). Beyond it the model sees the last
    /// <see cref="GptConfig.ContextLength"/> tokens, whose positions change with every token, so all are read again.
    /// The model's training mode is off while a token is chosen, and put back.
    /// </remarks>
    /// <param name="model">The writer.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <returns>The new tokens, each as soon as it is chosen.</returns>
    /// <exception cref="ArgumentException">An empty prompt, a token outside the vocabulary, or options out of range.</exception>
    public static IEnumerable<GeneratedToken> Generate(this Gpt model, IReadOnlyList<long> prompt, SamplingOptions? options = null)
    {
        options = (options ?? new SamplingOptions()).Validated();
        if (prompt.Count == 0) throw new ArgumentException("The prompt is empty; expected at least one token.", nameof(prompt));
        foreach (var token in prompt)
            if (token < 0 || token >= model.Config.VocabularySize)
                throw new ArgumentException($"Token {token} is outside the vocabulary of {model.Config.VocabularySize}.", nameof(prompt));
        return Write(model, [.. prompt], options);
    }

    private static IEnumerable<GeneratedToken> Write(Gpt model, List<long> tokens, SamplingOptions options)
    {
        using var cache = new KeyValueCache(model.Config.ContextLength);
        using var sampler = new Sampler(options, model.parameters().First().device);
        for (var written = 0; written < options.MaximumTokens; written++)
        {
            var next = Step(model, tokens, cache, sampler);
            tokens.Add(next.Id);
            yield return next;
            if (next.Id == options.StopToken) yield break;
        }
    }

    private static GeneratedToken Step(Gpt model, List<long> tokens, KeyValueCache cache, Sampler sampler)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var training = model.training;
        model.eval();
        try
        {
            if (tokens.Count > cache.Capacity) cache.Clear();   // the window has moved: every position is new
            var unread = tokens.Skip(Math.Max(cache.Length, tokens.Count - cache.Capacity)).ToArray();
            var input = tensor(unread, int64, model.parameters().First().device).unsqueeze(0);
            return sampler.Choose(model.Next(input, cache)[0]);
        }
        finally
        {
            model.train(training);
        }
    }
}
