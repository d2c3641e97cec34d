using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Reads the attention patterns of a model.</summary>
public static class AttentionCapture
{
    /// <summary>Runs a model once on one text and returns the attention pattern of every layer and head.</summary>
    /// <param name="model">Any model whose attention has hook points named <c>hook_pattern</c>.</param>
    /// <param name="input">Input of the model; a batch of one, such as tokens [1, time].</param>
    /// <param name="tokens">Text of each token, to label the rows and columns.</param>
    /// <exception cref="ArgumentException">
    /// A batch of more than one, or another number of labels than of tokens; an image's tokens are the class token and the
    /// patches.
    /// </exception>
    public static AttentionMaps Attention(this nn.Module<Tensor, Tensor> model, Tensor input, IReadOnlyList<string> tokens)
    {
        if (input.dim() < 2 || input.shape[0] != 1)
            throw new ArgumentException($"Got {input.ShapeText()}; expected one text, [1, time, ...].", nameof(input));
        // the tokens of an image are the class token and the patches, which only the model knows
        if (input.dim() < 4 && input.shape[1] != tokens.Count)
            throw new ArgumentException($"Got {tokens.Count} labels for {input.shape[1]} tokens; "
                + "expected one label for each.", nameof(tokens));

        return Record(model, "hook_pattern", tokens, tokens, () => model.call(input).Dispose());
    }

    /// <summary>
    /// Runs an encoder-decoder model once and returns its cross-attention patterns: how each target token attends
    /// to the source tokens.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="source">Source tokens, int64 [1, source time].</param>
    /// <param name="written">Target tokens, int64 [1, time], beginning with the start token.</param>
    /// <param name="sourceTokens">Text of each source token, for the columns.</param>
    /// <param name="writtenTokens">Text of each target token, for the rows.</param>
    /// <exception cref="ArgumentException">
    /// The batch is larger than one, or the number of labels differs from the number of tokens.
    /// </exception>
    public static AttentionMaps CrossAttention(
        this T5 model, Tensor source, Tensor written, IReadOnlyList<string> sourceTokens, IReadOnlyList<string> writtenTokens)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var (input, tokens) in new[] { (source, sourceTokens), (written, writtenTokens) })
            if (!input.shape.SequenceEqual([1, tokens.Count]))
                throw new ArgumentException(
                    $"Got {tokens.Count} labels for tokens {input.ShapeText()}; expected one text, [1, {tokens.Count}].");
        return Record(model, "EncDecAttention.hook_pattern", writtenTokens, sourceTokens,
            () => model.call(source, written).Dispose());
    }

    private static AttentionMaps Record(
        nn.Module model, string ending, IReadOnlyList<string> queries, IReadOnlyList<string> keys, Action run)
    {
        var training = model.training;
        model.eval();
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var cache = ActivationCache.Record(model, name => name.EndsWith(ending, StringComparison.Ordinal));
            run();
            return new AttentionMaps([.. cache.Names
                .SelectMany((name, layer) => Heads(name, layer, cache[name], queries, keys))]);
        }
        finally
        {
            model.train(training);
        }
    }

    private static IEnumerable<AttentionPattern> Heads(
        string name, int layer, Tensor pattern, IReadOnlyList<string> queryTokens, IReadOnlyList<string> keyTokens)
    {
        var heads = (int)pattern.shape[1];
        var queries = (int)pattern.shape[2];
        var keys = (int)pattern.shape[3];
        if (queries != queryTokens.Count || keys != keyTokens.Count)
            throw new ArgumentException($"Got {queryTokens.Count} labels for {queries} tokens in {name}; expected one for each, "
                + "in a vision transformer one for the class token and one for each patch.");
        using var flat = pattern.to(float32).cpu().contiguous().flatten();
        var weights = flat.data<float>().ToArray();
        for (var head = 0; head < heads; head++)
        {
            var map = new float[queries, keys];
            Buffer.BlockCopy(weights, head * queries * keys * sizeof(float), map, 0, map.Length * sizeof(float));
            yield return new AttentionPattern(name, layer, head, queryTokens, keyTokens, map);
        }
    }
}
