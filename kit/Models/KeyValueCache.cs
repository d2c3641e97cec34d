using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Keys and values of the tokens a model has read, so that the next token needs no second look at them.</summary>
/// <param name="capacity">Number of tokens it can hold; the model's context length.</param>
public sealed class KeyValueCache(int capacity) : IDisposable
{
    private readonly List<(Tensor Keys, Tensor Values)> layers = [];   // each [batch, head, capacity, d_head]

    /// <summary>Number of tokens it can hold.</summary>
    public int Capacity { get; } = capacity;

    /// <summary>Number of tokens it holds.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (var (keys, values) in layers)
        {
            keys.Dispose();
            values.Dispose();
        }
        layers.Clear();
        Length = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Adds a layer's keys and values of new tokens, [batch, head, time, d_head], and returns those of all tokens.</summary>
    internal (Tensor Keys, Tensor Values) Extend(int layer, Tensor keys, Tensor values)
    {
        var time = keys.shape[2];
        if (layer == layers.Count) layers.Add((Room(keys), Room(values)));
        var (allKeys, allValues) = layers[layer];
        if (allKeys.shape[0] != keys.shape[0])
            throw new ArgumentException($"Got a batch of {keys.shape[0]}; the cache holds a batch of {allKeys.shape[0]}.");
        using (var place = allKeys.narrow(2, Length, time)) place.copy_(keys);
        using (var place = allValues.narrow(2, Length, time)) place.copy_(values);
        return (allKeys.narrow(2, 0, Length + time), allValues.narrow(2, 0, Length + time));
    }

    /// <summary>Counts tokens that every layer has added.</summary>
    internal void Advance(long time) => Length += (int)time;

    private Tensor Room(Tensor like) =>
        empty([like.shape[0], like.shape[1], Capacity, like.shape[3]], like.dtype, like.device).DetachFromDisposeScope();
}
