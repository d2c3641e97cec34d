using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Key-value cache: keys and values of the tokens processed so far, so that each new token needs a forward pass
/// of length one.
/// </summary>
/// <remarks>
/// It stores one entry per key head (grouped-query attention), and, for cross-attention, the keys and values of
/// the source text.
/// </remarks>
/// <param name="capacity">Maximum number of tokens; at most the model's context length.</param>
public sealed class KeyValueCache(int capacity) : IDisposable
{
    private readonly List<(Tensor Keys, Tensor Values)> layers = [];    // each [batch, key head, capacity, d_head]
    private readonly List<(Tensor Keys, Tensor Values)> sources = [];   // each [batch, key head, source time, d_head]

    /// <summary>Maximum number of tokens.</summary>
    public int Capacity { get; } = capacity;

    /// <summary>Number of tokens in the cache.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of the keys and values that it has room for.</summary>
    public long Bytes => layers.Concat(sources).Sum(pair =>
        (pair.Keys.numel() * pair.Keys.element_size()) + (pair.Values.numel() * pair.Values.element_size()));

    /// <summary>Removes all entries.</summary>
    public void Clear()
    {
        foreach (var (keys, values) in layers.Concat(sources))
        {
            keys.Dispose();
            values.Dispose();
        }
        layers.Clear();
        sources.Clear();
        Length = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>
    /// Rearranges the rows of the batch: row i becomes the previous row <paramref name="rows"/>[i].
    /// </summary>
    /// <param name="rows">
    /// Indexes of the rows to keep, int64 [new batch]; a row may occur more than once, or not at all.
    /// </param>
    public void Reorder(Tensor rows)
    {
        foreach (var list in new[] { layers, sources })
            for (var layer = 0; layer < list.Count; layer++)
            {
                var (keys, values) = list[layer];
                list[layer] = (Chosen(keys, rows), Chosen(values, rows));
            }
    }

    /// <summary>
    /// Appends a layer's keys and values of new tokens, [batch, key head, time, d_head], and returns those of all
    /// tokens.
    /// </summary>
    internal (Tensor Keys, Tensor Values) Extend(int layer, Tensor keys, Tensor values)
    {
        var time = keys.shape[2];
        if (Length + time > Capacity) throw new ArgumentException($"Got {Length + time} tokens; the cache holds {Capacity}.");
        if (layer == layers.Count) layers.Add((Room(keys), Room(values)));
        var (allKeys, allValues) = layers[layer];
        CheckBatch(allKeys, keys.shape[0]);
        using (var place = allKeys.narrow(2, Length, time)) place.copy_(keys);
        using (var place = allValues.narrow(2, Length, time)) place.copy_(values);
        return (allKeys.narrow(2, 0, Length + time), allValues.narrow(2, 0, Length + time));
    }

    /// <summary>
    /// Computes the attention of one new token per row: appends its keys and values to the cache and attends to all
    /// of them.
    /// </summary>
    /// <param name="layer">Index of the layer, from 0.</param>
    /// <param name="query">[batch, 1, heads · d_head].</param>
    /// <param name="key">[batch, 1, key heads · d_head].</param>
    /// <param name="value">[batch, 1, key heads · d_head].</param>
    /// <param name="heads">Number of query heads, and of key and value heads.</param>
    /// <param name="rotation">Rotary positions for queries and keys; null for none.</param>
    /// <returns>Output of the attention, [batch, 1, heads · d_head].</returns>
    internal Tensor Attend(int layer, Tensor query, Tensor key, Tensor value, (int Query, int Key) heads,
        Rotation? rotation = null)
    {
        CheckOneMore(layer, key);
        var (keys, values) = layers[layer];
        return OneTokenAttention.Attend(query, key, value, keys, values, Length, heads, rotation);
    }

    /// <inheritdoc cref="Attend"/>
    /// <param name="layer">Index of the layer, from 0.</param>
    /// <param name="joined">Query, key and value concatenated, [batch, 1, 3 · heads · d_head].</param>
    /// <param name="heads">Number of heads.</param>
    internal Tensor AttendJoined(int layer, Tensor joined, int heads)
    {
        CheckOneMore(layer, joined);
        var (keys, values) = layers[layer];
        return OneTokenAttention.AttendJoined(joined, keys, values, Length, heads);
    }

    /// <summary>Returns a layer's keys and values of the source text, which are computed once.</summary>
    internal (Tensor Keys, Tensor Values) Source(int layer, Func<(Tensor Keys, Tensor Values)> make)
    {
        if (layer == sources.Count)
        {
            var (keys, values) = make();
            sources.Add((keys.contiguous().DetachFromDisposeScope(), values.contiguous().DetachFromDisposeScope()));
        }
        return sources[layer];
    }

    /// <summary>Increases the length after all layers have appended their tokens.</summary>
    internal void Advance(long time) => Length += (int)time;

    /// <param name="layer">Index of the layer, from 0; it must contain tokens.</param>
    /// <param name="vectors">Vectors of the next token, [batch, 1, channels].</param>
    private void CheckOneMore(int layer, Tensor vectors)
    {
        if (Length >= Capacity) throw new ArgumentException($"Got {Length + 1} tokens; the cache holds {Capacity}.");
        CheckBatch(layers[layer].Keys, vectors.size(0));
    }

    private static void CheckBatch(Tensor held, long batch)
    {
        if (held.size(0) != batch)
            throw new ArgumentException($"Got a batch of {batch}; the cache holds a batch of {held.size(0)}.");
    }

    private Tensor Room(Tensor like) =>
        empty([like.shape[0], like.shape[1], Capacity, like.shape[3]], like.dtype, like.device).DetachFromDisposeScope();

    private static Tensor Chosen(Tensor tensor, Tensor rows)
    {
        var chosen = tensor.index_select(0, rows).DetachFromDisposeScope();
        tensor.Dispose();
        return chosen;
    }
}
