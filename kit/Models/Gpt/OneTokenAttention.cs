using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Attention of a single new token over a key-value cache in one native call, instead of a dozen calls of small
/// operations from C#.
/// </summary>
/// <remarks>
/// The operations and their order are the same as in the ordinary path. Implemented as TorchScript, whose
/// source is constant.
/// </remarks>
internal static class OneTokenAttention
{
    private static readonly TorchScript Script = new("OneTokenAttention.py");

    /// <param name="query">[batch, 1, heads · d_head].</param>
    /// <param name="key">[batch, 1, key heads · d_head].</param>
    /// <param name="value">[batch, 1, key heads · d_head].</param>
    /// <param name="keys">Keys in the cache, [batch, key head, capacity, d_head]; modified.</param>
    /// <param name="values">Values in the cache, of the same shape; modified.</param>
    /// <param name="before">Number of tokens in the cache.</param>
    /// <param name="heads">Number of query heads, and of key and value heads.</param>
    /// <param name="rotation">Rotary positions for queries and keys; null for none.</param>
    /// <returns>[batch, 1, heads · d_head].</returns>
    public static Tensor Attend(
        Tensor query, Tensor key, Tensor value, Tensor keys, Tensor values, int before,
            (int Query, int Key) heads, Rotation? rotation) =>
        (Tensor)(rotation is null
            ? Script.Call("plain", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key)
            : Script.Call("rotated", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key,
                rotation.Cosine, rotation.Sine));

    /// <param name="joined">Query, key and value concatenated, [batch, 1, 3 · heads · d_head].</param>
    /// <param name="keys">Keys in the cache, [batch, head, capacity, d_head]; modified.</param>
    /// <param name="values">Values in the cache, of the same shape; modified.</param>
    /// <param name="before">Number of tokens in the cache.</param>
    /// <param name="heads">Number of heads.</param>
    /// <returns>[batch, 1, heads · d_head].</returns>
    public static Tensor AttendJoined(Tensor joined, Tensor keys, Tensor values, int before, int heads) =>
        (Tensor)Script.Call("joined", joined, keys, values, (long)before, (long)heads);
}
