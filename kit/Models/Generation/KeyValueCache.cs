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
/// <param name="isInt8">
/// Whether keys and values are stored as 8-bit codes with a float32 scale for each token and head: about a quarter of the memory
/// of float32, for an error of at most half a step of 1/127 of the largest channel. Each token takes longer.
/// </param>
public sealed class KeyValueCache(int capacity, bool isInt8 = false) : IDisposable
{
    // each [batch, key head, capacity, d_head], or the source's time instead of the capacity
    private readonly List<(CachedVectors Keys, CachedVectors Values)> layers = [], sources = [];

    /// <summary>Maximum number of tokens.</summary>
    public int Capacity { get; } = capacity;

    /// <summary>Whether keys and values are stored as 8-bit codes.</summary>
    public bool IsInt8 { get; } = isInt8;

    /// <summary>Memory of the keys and values in bytes, for all tokens that there is room for.</summary>
    public long Bytes => layers.Concat(sources).Sum(pair => pair.Keys.Bytes + pair.Values.Bytes);

    /// <summary>Number of tokens in the cache.</summary>
    public int Length { get; private set; }

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
        foreach (var (keys, values) in layers.Concat(sources))
        {
            keys.Reorder(rows);
            values.Reorder(rows);
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
        if (layer == layers.Count)
            layers.Add((CachedVectors.Room(keys, Capacity, IsInt8), CachedVectors.Room(values, Capacity, IsInt8)));
        var (allKeys, allValues) = layers[layer];
        CheckBatch(allKeys, keys.shape[0]);
        allKeys.Write(keys, Length);
        allValues.Write(values, Length);
        return (allKeys.Read(Length + time), allValues.Read(Length + time));
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
        var (keys, values) = OneMore(layer, key);
        return OneTokenAttention.Attend(query, key, value, keys, values, Length, heads, rotation);
    }

    /// <inheritdoc cref="Attend"/>
    /// <param name="layer">Index of the layer, from 0.</param>
    /// <param name="joined">Query, key and value concatenated, [batch, 1, 3 · heads · d_head].</param>
    /// <param name="heads">Number of heads.</param>
    internal Tensor AttendJoined(int layer, Tensor joined, int heads)
    {
        var (keys, values) = OneMore(layer, joined);
        return OneTokenAttention.AttendJoined(joined, keys, values, Length, heads);
    }

    /// <summary>Returns a layer's keys and values of the source text, which are computed once.</summary>
    internal (Tensor Keys, Tensor Values) Source(int layer, Func<(Tensor Keys, Tensor Values)> make)
    {
        if (layer == sources.Count)
        {
            var (keys, values) = make();
            sources.Add((Stored(keys), Stored(values)));
        }
        var (allKeys, allValues) = sources[layer];
        return (allKeys.Read(allKeys.Length), allValues.Read(allValues.Length));

        CachedVectors Stored(Tensor vectors)
        {
            var room = CachedVectors.Room(vectors, vectors.shape[2], IsInt8);
            room.Write(vectors, 0);
            return room;
        }
    }

    /// <summary>Increases the length after all layers have appended their tokens.</summary>
    internal void Advance(long time) => Length += (int)time;

    /// <summary>
    /// The tensors of a layer, [1, key head, capacity, d_head], for a step of one token; null unless they are float32 on the CPU,
    /// and there is room.
    /// </summary>
    /// <param name="layer">Index of the layer, from 0.</param>
    internal (Tensor Keys, Tensor Values)? ForOneToken(int layer) =>
        Length > 0 && Length < Capacity && layer < layers.Count
        && layers[layer] is { Keys: PlainVectors { Batch: 1, Held: var keys }, Values: PlainVectors { Held: var values } }
        && StepNorm.IsPlain(keys) && StepNorm.IsPlain(values) ? (keys, values) : null;

    /// <summary>The tensors of a layer that take one more token.</summary>
    /// <param name="layer">Index of the layer, from 0; it must contain tokens, not as codes.</param>
    /// <param name="vectors">Vectors of the next token, [batch, 1, channels].</param>
    private (Tensor Keys, Tensor Values) OneMore(int layer, Tensor vectors)
    {
        if (Length >= Capacity) throw new ArgumentException($"Got {Length + 1} tokens; the cache holds {Capacity}.");
        var (keys, values) = layers[layer];
        CheckBatch(keys, vectors.size(0));
        return (((PlainVectors)keys).Held, ((PlainVectors)values).Held);
    }

    private static void CheckBatch(CachedVectors held, long batch)
    {
        if (held.Batch != batch)
            throw new ArgumentException($"Got a batch of {batch}; the cache holds a batch of {held.Batch}.");
    }
}
