using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Which keys each query attends to, and a bias that is added to the scores. The properties can be combined.
/// </summary>
public sealed record AttentionMask
{
    /// <summary>Every query attends to every key.</summary>
    public static AttentionMask None { get; } = new();

    /// <summary>Each query attends to its own position and to earlier ones.</summary>
    public static AttentionMask CausalOnly { get; } = new() { Causal = true };

    /// <summary>Returns the mask of a batch of texts that were padded to one length.</summary>
    /// <param name="attentionMask">[batch, key] as tokenizers return it: 0 = padding, anything else = token; null
    /// for no padding.</param>
    /// <param name="causal">Whether each query attends only to its own position and to earlier ones.</param>
    public static AttentionMask OfTokens(Tensor? attentionMask, bool causal = false) =>
        new() { Causal = causal, Padding = attentionMask?.eq(0) };

    /// <summary>
    /// Whether each query attends only to its own position and to earlier ones. The last query has the position of
    /// the last key.
    /// </summary>
    public bool Causal { get; init; }

    /// <summary>
    /// With <see cref="Causal"/>: the number of keys that a query attends to, its own position and the ones just
    /// before it; null for all earlier ones.
    /// </summary>
    /// <remarks>
    /// Sliding-window attention, Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, §3.1; Jiang et al., 2023 (Mistral).
    /// </remarks>
    public int? Window { get; init; }

    /// <summary>Keys that no query attends to: bool [batch, key], true = padding.</summary>
    public Tensor? Padding { get; init; }

    /// <summary>
    /// Pairs of query and key that are masked: bool, true = masked; broadcast to [batch, head, query, key].
    /// </summary>
    public Tensor? Hidden { get; init; }

    /// <summary>Numbers added to the scores, such as relative positions; broadcast to [batch, head, query, key].</summary>
    public Tensor? ScoreBias { get; init; }

    /// <summary>Whether libtorch's own causal mask (<c>is_causal</c>) is equivalent.</summary>
    internal bool IsPlainCausal(long queries, long keys) =>
        Causal && Padding is null && Hidden is null && ScoreBias is null && queries == keys && !(Window < keys);

    /// <summary>Share of the pairs of query and key that neither the causal mask nor the window hides.</summary>
    internal double VisibleShare(long queries, long keys)
    {
        if (!Causal) return 1;
        var window = Window is { } most ? Math.Min(most, keys) : keys;
        var seen = 0.0;
        for (var query = 0L; query < queries; query++) seen += Math.Clamp(keys - queries + query + 1, 0, window);
        return seen / queries / keys;
    }

    /// <summary>Whether all heads have the same mask.</summary>
    internal bool IsTheSameForAllHeads => Hidden is null && ScoreBias is null;

    /// <summary>
    /// Combines all properties into one tensor to add to the scores, broadcastable to [batch, head, query, key];
    /// null if there is none.
    /// </summary>
    /// <param name="query">[batch, head, query, d_head]; determines the batch size, the dtype and the
    /// device.</param>
    /// <param name="keys">Number of keys.</param>
    /// <exception cref="ArgumentException">A mask or bias does not fit the queries and keys.</exception>
    internal Tensor? Bias(Tensor query, long keys)
    {
        var batch = query.shape[0];
        var queries = query.shape[2];
        var hidden = Hidden is null ? null : Fitting(Hidden, query, keys, nameof(Hidden), ScalarType.Bool);
        if (Window is { } window && (window < 1 || !Causal))
            throw new ArgumentException($"The window is {window} and Causal is {Causal}; "
            + "expected a window of at least 1 and a causal mask.");
        if (Causal && queries > 1) hidden = Either(hidden, Future(queries, keys, query.device));
        if (Window < keys) hidden = Either(hidden, Past(queries, keys, Window.Value, query.device));
        if (Padding is not null)
        {
            if (Padding.dtype != ScalarType.Bool || !Padding.shape.SequenceEqual([batch, keys]))
                throw new ArgumentException(
                    $"The padding mask is {Padding.dtype} {Padding.ShapeText()}; expected Bool [{batch}, {keys}].");
            hidden = Either(hidden, Padding.view(batch, 1, 1, keys));
        }

        var bias = ScoreBias is null ? null : Fitting(ScoreBias, query, keys, nameof(ScoreBias), null).to(query.dtype);
        if (hidden is null) return bias;
        // The lowest finite number: a query without any visible key then attends to all keys equally; -∞ would give
        // NaN.
        var minus = zeros(hidden.shape, query.dtype, query.device).masked_fill_(hidden, finfo(query.dtype).min);
        return bias is null ? minus : bias + minus;
    }

    /// <summary>True where the key comes after the query; bool [query, key].</summary>
    private static Tensor Future(long queries, long keys, Device device) =>
        ones([queries, keys], ScalarType.Bool, device).triu(keys - queries + 1);

    /// <summary>
    /// True where the key is so far before the query that it is outside the window; bool [query, key].
    /// </summary>
    private static Tensor Past(long queries, long keys, int window, Device device) =>
        ones([queries, keys], ScalarType.Bool, device).tril(keys - queries - window);

    private static Tensor Either(Tensor? a, Tensor b) => a is null ? b : a.logical_or(b);

    private static Tensor Fitting(Tensor mask, Tensor query, long keys, string name, ScalarType? dtype)
    {
        long[] full = [query.shape[0], query.shape[1], query.shape[2], keys];
        var shape = mask.shape;
        var fits = shape.Length <= 4 && (dtype is null || mask.dtype == dtype);
        for (var axis = 1; fits && axis <= shape.Length; axis++) fits = shape[^axis] == 1 || shape[^axis] == full[^axis];
        return fits ? mask : throw new ArgumentException($"{name} is {mask.dtype} {mask.ShapeText()}; expected "
            + $"{dtype?.ToString() ?? "numbers"} that broadcast to [batch, head, query, key] = [{string.Join(", ", full)}].");
    }
}
