using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Attention of any batch and time: heads, masks and rotary positions.</summary>
internal static class OnnxAttention
{
    /// <summary>[batch, time, channels] to [batch, head, time, d_head].</summary>
    public static string SplitHeads(this OnnxBuilder make, string x, int heads) =>
        make.Transpose(make.Reshape(x, 0, 0, heads, -1), 0, 2, 1, 3);

    /// <summary>[batch, head, time, d_head] to [batch, time, channels].</summary>
    public static string MergeHeads(this OnnxBuilder make, string x) => make.Reshape(make.Transpose(x, 0, 2, 1, 3), 0, 0, -1);

    /// <summary>Scaled dot-product attention.</summary>
    /// <param name="make">The graph.</param>
    /// <param name="query">[batch, head, query, d_head].</param>
    /// <param name="key">[batch, head, key, d_head].</param>
    /// <param name="value">[batch, head, key, d_head].</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="bias">Added to the scores: [batch, head, query, key] or what broadcasts to it; null for none.</param>
    /// <returns>[batch, query, channels].</returns>
    public static string Attend(this OnnxBuilder make, string query, string key, string value, double scale, string? bias)
    {
        var scores = make.Graph.Node("MatMul", [query, make.Transpose(key, 0, 1, 3, 2)]);
        if (scale != 1) scores = make.Multiply(scores, make.Graph.Number(scale));
        if (bias is not null) scores = make.Add(scores, bias);
        var pattern = make.Graph.Node("Softmax", [scores], ("axis", -1));
        return make.MergeHeads(make.Graph.Node("MatMul", [pattern, value]));
    }

    /// <summary>Repeats key heads, so that each serves a group of query heads.</summary>
    public static string RepeatHeads(this OnnxBuilder make, string x, int heads, int keyHeads, long width)
    {
        if (heads == keyHeads) return x;
        var apart = make.Graph.Node("Unsqueeze", [x, make.Graph.Numbers(2)]);
        var repeated = make.Graph.Node("Tile", [apart, make.Graph.Numbers(1, 1, heads / keyHeads, 1, 1)]);
        return make.Reshape(repeated, 0, heads, -1, width);
    }

    /// <summary>The size of an axis, int64 [1].</summary>
    public static string Size(this OnnxBuilder make, string x, int axis) =>
        make.Graph.Node("Shape", [x], ("start", axis), ("end", axis + 1));

    /// <summary>0, 1, 2 … up to the number of tokens, int64 [time].</summary>
    public static string Places(this OnnxBuilder make, string tokens)
    {
        var zero = make.Graph.Constant("first", () => tensor(0L));
        var step = make.Graph.Constant("step", () => tensor(1L));
        return make.Graph.Node("Range", [zero, make.Graph.Node("Squeeze", [make.Size(tokens, 1)]), step]);
    }

    /// <summary>Key position minus query position, int64 [query, key].</summary>
    public static string Distances(this OnnxBuilder make, string places) => make.Graph.Node("Sub",
        [
            make.Graph.Node("Unsqueeze", [places, make.Graph.Numbers(0)]),
            make.Graph.Node("Unsqueeze", [places, make.Graph.Numbers(1)]),
        ]);

    /// <summary>
    /// What hides keys from queries: 0, or the lowest number where a key is padding or comes after the query; null where all
    /// see all.
    /// </summary>
    /// <param name="make">The graph.</param>
    /// <param name="mask">int64 [batch, key], 0 = padding; null for none.</param>
    /// <param name="distances">Key position minus query position; null where a query sees later keys.</param>
    public static string? Mask(this OnnxBuilder make, string? mask, string? distances)
    {
        var seen = mask is null ? null
            : make.Graph.Node("Unsqueeze", [make.Graph.Node("Cast", [mask], ("to", 9)), make.Graph.Numbers(1, 2)]);
        if (distances is not null)
        {
            var earlier = make.Graph.Node("LessOrEqual", [distances, make.Graph.Constant("first", () => tensor(0L))]);
            seen = seen is null ? earlier : make.Graph.Node("And", [seen, earlier]);
        }
        return seen is null ? null
            : make.Graph.Node("Where", [seen, make.Graph.Number(0), make.Graph.Number(float.MinValue)]);
    }

    /// <summary>Cosines and sines of rotary positions, [time, d_head / 2] each.</summary>
    public static (string Cosine, string Sine) Rotation(this OnnxBuilder make, string places, RotaryPositions rotary)
    {
        var frequencies = make.Graph.Constant("rotary frequencies", () => rotary.Frequencies(CPU));
        var time = make.Graph.Node("Unsqueeze", [make.Graph.Node("Cast", [places], ("to", 1)), make.Graph.Numbers(1)]);
        var angle = make.Multiply(time, frequencies);
        return (make.Graph.Node("Cos", [angle]), make.Graph.Node("Sin", [angle]));
    }

    /// <summary>Rotates queries or keys, [batch, head, time, d_head].</summary>
    public static string Turn(this OnnxBuilder make, string x, (string Cosine, string Sine) rotation)
    {
        var halves = make.Graph.Node("Split", 2, [x], ("axis", -1), ("num_outputs", 2));
        var (first, second) = (halves[0], halves[1]);
        var low = make.Graph.Node("Sub", [make.Multiply(first, rotation.Cosine), make.Multiply(second, rotation.Sine)]);
        var high = make.Add(make.Multiply(second, rotation.Cosine), make.Multiply(first, rotation.Sine));
        return make.Graph.Node("Concat", [low, high], ("axis", -1));
    }
}
