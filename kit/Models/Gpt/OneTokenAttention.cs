using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>
/// Attention of a single new token over a cache, in one call: a dozen small operations that C# would each call for by itself.
/// </summary>
/// <remarks>
/// The same operations in the same order as the ordinary path. Reached through TorchScript, whose source is fixed.
/// </remarks>
internal static class OneTokenAttention
{
    private static readonly TorchScript Script = new("OneTokenAttention.py");

    /// <param name="query">[batch, 1, heads · d_head].</param>
    /// <param name="key">[batch, 1, key heads · d_head].</param>
    /// <param name="value">Likewise.</param>
    /// <param name="keys">The cache, [batch, key head, capacity, d_head]; written to.</param>
    /// <param name="values">Likewise.</param>
    /// <param name="before">Tokens in the cache.</param>
    /// <param name="heads">Heads of the queries, and of the keys and values.</param>
    /// <param name="rotation">Of queries and keys; null for none.</param>
    /// <returns>[batch, 1, heads · d_head].</returns>
    public static Tensor Attend(
        Tensor query, Tensor key, Tensor value, Tensor keys, Tensor values, int before,
            (int Query, int Key) heads, Rotation? rotation) =>
        (Tensor)(rotation is null
            ? Script.Call("plain", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key)
            : Script.Call("rotated", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key,
                rotation.Cosine, rotation.Sine));

    /// <param name="joined">Query, key and value side by side, [batch, 1, 3 · heads · d_head].</param>
    /// <param name="keys">The cache, [batch, head, capacity, d_head]; written to.</param>
    /// <param name="values">Likewise.</param>
    /// <param name="before">Tokens in the cache.</param>
    /// <param name="heads">Heads.</param>
    /// <returns>[batch, 1, heads · d_head].</returns>
    public static Tensor AttendJoined(Tensor joined, Tensor keys, Tensor values, int before, int heads) =>
        (Tensor)Script.Call("joined", joined, keys, values, (long)before, (long)heads);
}
