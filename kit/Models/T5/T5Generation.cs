using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Text generation with a <see cref="T5"/>.</summary>
public static class T5Generation
{
    /// <summary>Generates a text from a source text, token by token.</summary>
    /// <remarks>
    /// The source and each token are processed once. The model is in evaluation mode meanwhile; its mode is
    /// restored afterwards.
    /// </remarks>
    /// <param name="model">The model.</param>
    /// <param name="source">At least one token.</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <returns>The new tokens without the start token, each yielded as soon as it is chosen.</returns>
    /// <exception cref="ArgumentException">
    /// The source is empty, a token is outside the vocabulary, or the options are out of range.
    /// </exception>
    public static IEnumerable<GeneratedToken> Generate(this T5 model, IReadOnlyList<long> source, SamplingOptions? options = null)
    {
        options = (options ?? new SamplingOptions()).Validated().ForTokens();
        Generation.CheckPrompt(model.Config.VocabularySize, source);
        return Write(model, [.. source], options);
    }

    /// <summary>Generates a text for each of several source texts.</summary>
    /// <remarks>A row is padded after its stop token; generation ends when all rows have stopped.</remarks>
    /// <param name="model">The model.</param>
    /// <param name="sources">int64 [batch, source time].</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <param name="attentionMask">[batch, source time], 0 = padding, on either side; null for none.</param>
    /// <returns>The generated tokens, beginning with the start token. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// Sources or mask do not fit the model or each other, or the options are out of range.
    /// </exception>
    public static GeneratedBatch GenerateBatch(
        this T5 model, Tensor sources, SamplingOptions? options = null, Tensor? attentionMask = null)
    {
        Generation.CheckPrompts(model.Config.VocabularySize, sources, attentionMask);
        using var scope = NewDisposeScope();
        using var writer = new T5Writer(model, sources, attentionMask);
        var starts = full([sources.shape[0], 1], (long)model.Config.StartToken, int64, sources.device);
        var written = writer.GenerateBatch(starts, options);
        written.Tokens.MoveToOuterDisposeScope();
        written.StepLogits?.MoveToOuterDisposeScope();
        return written;
    }

    /// <summary>Generates a text for each of several source texts of different lengths.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sources">Tokens of each source, at least one. Shorter ones are padded on the right.</param>
    /// <param name="options">How tokens are chosen; by default sampled from the whole distribution.</param>
    /// <param name="stops">Called with row and token after each one; true ends the row. Null for no such rule.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <returns>The new tokens of each text without the start token, including the stop token that ended it.</returns>
    /// <exception cref="ArgumentException">
    /// A source is empty or does not fit the model, or the options are out of range.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<IReadOnlyList<GeneratedToken>> GenerateBatch(this T5 model,
        IReadOnlyList<IReadOnlyList<long>> sources, SamplingOptions? options = null,
        Func<int, GeneratedToken, bool>? stops = null, CancellationToken cancellation = default)
    {
        Generation.CheckEach(model.Config.VocabularySize, sources);
        if (sources.Count == 0) return [];
        using var scope = NewDisposeScope();
        var (tokens, mask) = PaddedTokens.Right(sources);
        using var writer = new T5Writer(model, tokens, mask);
        return writer.GenerateBatch([.. sources.Select(_ => (IReadOnlyList<long>)[model.Config.StartToken])], options, stops,
            cancellation);
    }

    /// <summary>Searches for the most probable texts for a source text, by beam search.</summary>
    /// <param name="model">The model.</param>
    /// <param name="source">At least one token.</param>
    /// <param name="options">Options of the search.</param>
    /// <returns>At most as many texts as beams, without the start token, best first.</returns>
    /// <exception cref="ArgumentException">
    /// The source is empty, a token is outside the vocabulary, or the options are out of range.
    /// </exception>
    public static IReadOnlyList<BeamText> SearchBeams(this T5 model, IReadOnlyList<long> source, BeamOptions? options = null)
    {
        Generation.CheckPrompt(model.Config.VocabularySize, source);
        using var writer = Read(model, [.. source]);
        return writer.SearchBeams([model.Config.StartToken], options);
    }

    private static IEnumerable<GeneratedToken> Write(T5 model, long[] source, SamplingOptions options)
    {
        using var writer = Read(model, source);
        foreach (var token in writer.Generate([model.Config.StartToken], options)) yield return token;
    }

    private static T5Writer Read(T5 model, long[] source)
    {
        using var scope = NewDisposeScope();
        return new T5Writer(model, tensor(source).unsqueeze(0), null);
    }
}
