using System.Text.Json.Nodes;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Folders with weights of 4 or 8 bits in the format pack-quantized of compressed-tensors, which vLLM and transformers read.
/// </summary>
/// <remarks>https://github.com/vllm-project/compressed-tensors.</remarks>
public static class CompressedTensors
{
    private const long LargestShard = 5_000_000_000;

    /// <summary>Replaces weights of a saved model by their codes, and says so in its config.json.</summary>
    /// <param name="folder">A folder that <c>SavePretrained</c> wrote.</param>
    /// <param name="layers">
    /// Weights by the name of their linear layer in the folder's files, such as <c>model.layers.0.mlp.up_proj</c>. Scales are
    /// stored in the dtype of the weight that they replace.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A layer is missing or has another shape, or a scheme has other bits or a code book; the folder is as it was.
    /// </exception>
    /// <exception cref="InvalidDataException">The folder's files are damaged, or compressed already.</exception>
    public static void Compress(string folder, IReadOnlyDictionary<string, QuantizedTensor> layers)
    {
        using var scope = NewDisposeScope();
        var config = CompressedConfig.Read(folder);
        if (config.ContainsKey(CompressedConfig.Section)) throw new InvalidDataException($"{folder} is compressed already.");
        var tensors = ReadAll(folder);
        foreach (var (layer, weight) in layers) Check(folder, tensors.GetValueOrDefault($"{layer}.weight"), layer, weight);
        var stored = tensors.SelectMany(pair =>
            Layer(pair.Key, "weight") is { } layer && layers.TryGetValue(layer, out var weight)
                ? PackedWeights.Of(weight, pair.Value.dtype)
                    .Select(part => KeyValuePair.Create($"{layer}.{part.Ending}", part.Tensor))
                : [pair]);
        config[CompressedConfig.Section] = CompressedConfig.Describe(layers, tensors);
        Write(folder, stored, config);
    }

    /// <summary>Reads the compressed weights of a folder by the names of their layers. The caller disposes them.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, or the weights have another format.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks its configuration or its weights.</exception>
    public static Dictionary<string, QuantizedTensor> Read(string folder)
    {
        using var scope = NewDisposeScope();
        CompressedConfig.CheckFormat(folder, CompressedConfig.Read(folder));
        return Layers(ReadAll(folder));
    }

    /// <summary>
    /// Writes an ordinary folder from a compressed one: every weight is the number that its code stands for, so that
    /// <c>FromPretrained</c> reads it.
    /// </summary>
    /// <param name="folder">A compressed folder.</param>
    /// <param name="target">Folder to write the configuration and the weights to; it is created.</param>
    /// <exception cref="InvalidDataException">A file is damaged, or the weights have another format.</exception>
    public static void Expand(string folder, string target)
    {
        using var scope = NewDisposeScope();
        var config = CompressedConfig.Read(folder);
        CompressedConfig.CheckFormat(folder, config);
        var tensors = ReadAll(folder);
        var layers = Layers(tensors);
        try
        {
            string[] endings = [PackedWeights.Packed, PackedWeights.Scale, PackedWeights.ZeroPoint, PackedWeights.Shape];
            var others = tensors.Where(pair =>
                !endings.Any(ending => Layer(pair.Key, ending) is { } layer && layers.ContainsKey(layer)));
            var plain = layers.Select(pair => KeyValuePair.Create($"{pair.Key}.weight",
                pair.Value.Dequantize().to(tensors[$"{pair.Key}.{PackedWeights.Scale}"].dtype)));
            config.Remove(CompressedConfig.Section);
            Directory.CreateDirectory(target);
            Write(target, others.Concat(plain), config);
        }
        finally
        {
            foreach (var layer in layers.Values) layer.Dispose();
        }
    }

    private static Dictionary<string, QuantizedTensor> Layers(Dictionary<string, Tensor> tensors)
    {
        var layers = new Dictionary<string, QuantizedTensor>();
        try
        {
            foreach (var name in tensors.Keys.Order(StringComparer.Ordinal))
                if (Layer(name, PackedWeights.Packed) is { } layer)
                    layers[layer] = PackedWeights.Read(layer, PartsOf(layer, tensors));
            return layers;
        }
        catch
        {
            foreach (var layer in layers.Values) layer.Dispose();
            throw;
        }
    }

    private static Dictionary<string, Tensor> PartsOf(string layer, Dictionary<string, Tensor> tensors) => tensors
        .Where(pair => pair.Key.StartsWith($"{layer}.", StringComparison.Ordinal))
        .ToDictionary(pair => pair.Key[(layer.Length + 1)..], pair => pair.Value);

    /// <summary>The layer of a tensor with this ending; null for other tensors.</summary>
    internal static string? Layer(string name, string ending) =>
        name.EndsWith($".{ending}", StringComparison.Ordinal) ? name[..^(ending.Length + 1)] : null;

    private static Dictionary<string, Tensor> ReadAll(string folder)
    {
        using var reader = CheckpointReader.Open(CheckpointFolder.Weights(folder));
        return reader.ReadAll();
    }

    private static void Write(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, JsonObject config)
    {
        SafetensorsFile.WriteSharded(folder, tensors, LargestShard, new Dictionary<string, string> { ["format"] = "pt" });
        AtomicWrite.Text(Path.Combine(folder, CheckpointFolder.Config), config.ToJsonString(JsonLayout.Indented) + "\n");
    }

    private static void Check(string folder, Tensor? stored, string layer, QuantizedTensor weight)
    {
        if (stored is null) throw new ArgumentException($"{folder} has no weight of {layer}.");
        if (!stored.shape.SequenceEqual(weight.Shape) || weight.Shape.Count != 2)
            throw new ArgumentException($"{layer} is {stored.ShapeText()} in {folder}; got codes of "
                + $"[{string.Join(", ", weight.Shape)}].");
        if (weight.Scheme.Bits is not (4 or 8) || weight.Scheme.CodeBook is not null)
            throw new ArgumentException($"{layer} has {weight.Scheme}; the format holds whole numbers of 4 or 8 bits.");
    }
}
