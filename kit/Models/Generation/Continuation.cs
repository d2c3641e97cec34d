using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// State of generation for a batch of texts: the tokens so far, one text per row, and the key-value cache.
/// </summary>
/// <remarks>
/// Up to the context length, each token is processed once (<see cref="KeyValueCache"/>). Beyond it, the model
/// sees only the last tokens, whose positions shift with every new token, so that all of them are processed
/// again.
/// </remarks>
internal sealed class Continuation : IDisposable
{
    private readonly ILanguageModel model;
    private readonly KeyValueCache cache;
    private Tensor tokens;   // int64 [batch, time]
    private Tensor? mask;    // int64 [batch, time], 0 = padding

    /// <param name="model">The language model.</param>
    /// <param name="prompts">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding, on the left; null for none.</param>
    /// <param name="maximumTokens">Maximum number of tokens that will be added.</param>
    /// <param name="hasInt8Cache">Whether the cache holds codes of 8 bits.</param>
    public Continuation(ILanguageModel model, Tensor prompts, Tensor? attentionMask, int maximumTokens, bool hasInt8Cache = false)
    {
        this.model = model;
        cache = new KeyValueCache((int)Math.Min(model.ContextLength, prompts.shape[1] + maximumTokens), hasInt8Cache);
        var device = DeviceOf(model);
        tokens = prompts.to(device, copy: true).DetachFromDisposeScope();
        mask = attentionMask?.to(int64, device, copy: true).DetachFromDisposeScope();
    }

    /// <summary>All tokens so far, int64 [batch, time].</summary>
    public Tensor Tokens => tokens;

    /// <summary>Returns the device of a model.</summary>
    public static Device DeviceOf(ILanguageModel model) => model.Network.parameters().FirstOrDefault()?.device
        ?? model.Network.buffers().FirstOrDefault()?.device ?? CPU;   // a packed model has no parameters

    /// <summary>
    /// Computes the logits of the next tokens, [batch, vocabulary], without gradient and dropout.
    /// </summary>
    public Tensor Next()
    {
        using var evaluation = new EvaluationMode(model.Network);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var length = (int)tokens.shape[1];
        if (length > cache.Capacity) cache.Clear();   // the window has moved, so all positions have changed
        var window = Math.Max(0, length - cache.Capacity);
        var start = Math.Max(cache.Length, window);
        return model.NextLogits(tokens.narrow(1, start, length - start), cache, mask?.narrow(1, window, length - window))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Appends a token to each text.</summary>
    public void Add(IReadOnlyList<long> next)
    {
        using var scope = NewDisposeScope();
        var column = tensor(next.ToArray(), int64, tokens.device).unsqueeze(1);
        Replace(ref tokens, cat([tokens, column], 1));
        if (mask is not null) Replace(ref mask, cat([mask, ones_like(column)], 1));
    }

    /// <summary>Rearranges the rows: row i becomes the previous row <paramref name="rows"/>[i].</summary>
    public void Reorder(IReadOnlyList<long> rows)
    {
        using var scope = NewDisposeScope();
        var order = tensor(rows.ToArray(), int64, tokens.device);
        Replace(ref tokens, tokens.index_select(0, order));
        if (mask is not null) Replace(ref mask, mask.index_select(0, order));
        cache.Reorder(order);
    }

    public void Dispose()
    {
        cache.Dispose();
        tokens.Dispose();
        mask?.Dispose();
    }

    private static void Replace(ref Tensor old, Tensor value)
    {
        old.Dispose();
        old = value.DetachFromDisposeScope();
    }
}
