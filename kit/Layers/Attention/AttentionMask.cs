using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Which keys a query sees, and what is added to the scores; the parts combine.</summary>
public sealed record AttentionMask
{
    /// <summary>Every query sees every key.</summary>
    public static AttentionMask None { get; } = new();

    /// <summary>A query sees its own position and what came before.</summary>
    public static AttentionMask CausalOnly { get; } = new() { Causal = true };

    /// <summary>The mask of a batch of texts that were padded to one length.</summary>
    /// <param name="attentionMask">
    /// [batch, key] as tokenizers give it: 0 = padding, all else a token; null for no padding.
    /// </param>
    /// <param name="causal">Whether a query sees only its own position and what came before.</param>
    public static AttentionMask OfTokens(Tensor? attentionMask, bool causal = false) =>
        new() { Causal = causal, Padding = attentionMask?.eq(0) };

    /// <summary>A query sees its own position and what came before; the last query stands at the last key.</summary>
    public bool Causal { get; init; }

    /// <summary>
    /// With <see cref="Causal"/>: a query sees its own position and so many less one before it; null for all before it.
    /// </summary>
    /// <remarks>
    /// Sliding-window attention, Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, §3.1; Jiang et al., 2023 (Mistral).
    /// </remarks>
    public int? Window { get; init; }

    /// <summary>Keys that nobody sees: bool [batch, key], true = padding.</summary>
    public Tensor? Padding { get; init; }

    /// <summary>Pairs that are hidden: bool, true = hidden; broadcast to [batch, head, query, key].</summary>
    public Tensor? Hidden { get; init; }

    /// <summary>Numbers added to the scores, such as relative positions; broadcast to [batch, head, query, key].</summary>
    public Tensor? ScoreBias { get; init; }

    /// <summary>True where libtorch's own causal mask says the same.</summary>
    internal bool IsPlainCausal(long queries, long keys) =>
        Causal && Padding is null && Hidden is null && ScoreBias is null && queries == keys && !(Window < keys);

    /// <summary>True where no part tells the heads apart.</summary>
    internal bool IsTheSameForAllHeads => Hidden is null && ScoreBias is null;

    /// <summary>
    /// All parts as one tensor to add to the scores, broadcastable to [batch, head, query, key]; null for none.
    /// </summary>
    /// <param name="query">[batch, head, query, d_head]; gives the batch, the dtype and the device.</param>
    /// <param name="keys">Number of keys.</param>
    /// <exception cref="ArgumentException">A part does not fit the queries and keys.</exception>
    internal Tensor? Bias(Tensor query, long keys)
    {
        var batch = query.shape[0];
        var queries = query.shape[2];
        var hidden = Hidden is null ? null : Fitting(Hidden, query, keys, nameof(Hidden), ScalarType.Bool);
        if (Window is { } window && (window < 1 || !Causal))
            throw new ArgumentException($"A window of {window} with Causal {Causal}; expected at least 1, and a causal mask.");
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
        // The least finite number: a query that sees nothing then looks everywhere alike, where -∞ would give NaN.
        var minus = zeros(hidden.shape, query.dtype, query.device).masked_fill_(hidden, finfo(query.dtype).min);
        return bias is null ? minus : bias + minus;
    }

    /// <summary>True where the key comes after the query; bool [query, key].</summary>
    private static Tensor Future(long queries, long keys, Device device) =>
        ones([queries, keys], ScalarType.Bool, device).triu(keys - queries + 1);

    /// <summary>True where the key comes so far before the query that the window does not reach it; bool [query, key].</summary>
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
