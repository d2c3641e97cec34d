using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Attention of a single new token over a cache, in one call: a dozen small operations that C# would each call for by itself.</summary>
/// <remarks>The same operations in the same order as the ordinary path. Reached through TorchScript, whose source is fixed.</remarks>
internal static class OneTokenAttention
{
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile("""
        def turn(x, cosine, sine):
            a, b = torch.chunk(x, 2, -1)
            return torch.cat([(a * cosine) - (b * sine), (b * cosine) + (a * sine)], -1)

        def attend(query, key, value, keys, values, before: int):
            batch, heads, one, width = query.shape
            keys.narrow(2, before, 1).copy_(key)
            values.narrow(2, before, 1).copy_(value)
            key_heads = keys.size(1)
            grouped = query.reshape(batch, key_heads, heads // key_heads, width)
            found = torch.scaled_dot_product_attention(grouped, keys.narrow(2, 0, before + 1), values.narrow(2, 0, before + 1))
            return found.reshape(batch, 1, heads * values.size(3))

        def plain(query, key, value, keys, values, before: int, heads: int, key_heads: int):
            batch = query.size(0)
            return attend(query.view(batch, heads, 1, -1), key.view(batch, key_heads, 1, -1), value.view(batch, key_heads, 1, -1), keys, values, before)

        def rotated(query, key, value, keys, values, before: int, heads: int, key_heads: int, cosine, sine):
            batch = query.size(0)
            return attend(turn(query.view(batch, heads, 1, -1), cosine, sine), turn(key.view(batch, key_heads, 1, -1), cosine, sine),
                          value.view(batch, key_heads, 1, -1), keys, values, before)

        def joined(x, keys, values, before: int, heads: int):
            query, key, value = torch.chunk(x, 3, -1)
            batch = x.size(0)
            return attend(query.view(batch, heads, 1, -1), key.view(batch, heads, 1, -1), value.view(batch, heads, 1, -1), keys, values, before)

        """));

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
        Tensor query, Tensor key, Tensor value, Tensor keys, Tensor values, int before, (int Query, int Key) heads, Rotation? rotation) =>
        (Tensor)(rotation is null
            ? Script.Value.Call("plain", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key)
            : Script.Value.Call("rotated", query, key, value, keys, values, (long)before, (long)heads.Query, (long)heads.Key, rotation.Cosine, rotation.Sine));

    /// <param name="joined">Query, key and value side by side, [batch, 1, 3 · heads · d_head].</param>
    /// <param name="keys">The cache, [batch, head, capacity, d_head]; written to.</param>
    /// <param name="values">Likewise.</param>
    /// <param name="before">Tokens in the cache.</param>
    /// <param name="heads">Heads.</param>
    /// <returns>[batch, 1, heads · d_head].</returns>
    public static Tensor AttendJoined(Tensor joined, Tensor keys, Tensor values, int before, int heads) =>
        (Tensor)Script.Value.Call("joined", joined, keys, values, (long)before, (long)heads);
}
