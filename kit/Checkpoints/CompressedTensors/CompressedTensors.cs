using System.Text.Json;
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
    private const string Section = "quantization_config", Format = "pack-quantized";
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
        var config = Config(folder);
        if (config.ContainsKey(Section)) throw new InvalidDataException($"{folder} is compressed already.");
        var tensors = ReadAll(folder);
        foreach (var (layer, weight) in layers) Check(folder, tensors.GetValueOrDefault($"{layer}.weight"), layer, weight);
        var stored = tensors.SelectMany(pair => Layer(pair.Key, "weight") is { } layer && layers.TryGetValue(layer, out var weight)
            ? PackedWeights.Of(weight, pair.Value.dtype).Select(part => KeyValuePair.Create($"{layer}.{part.Ending}", part.Tensor))
            : [pair]);
        config[Section] = Describe(layers, tensors);
        Write(folder, stored, config);
    }

    /// <summary>Reads the compressed weights of a folder by the names of their layers. The caller disposes them.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, or the weights have another format.</exception>
    /// <exception cref="FileNotFoundException">The folder lacks its configuration or its weights.</exception>
    public static Dictionary<string, QuantizedTensor> Read(string folder)
    {
        using var scope = NewDisposeScope();
        CheckFormat(folder, Config(folder));
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
        var config = Config(folder);
        CheckFormat(folder, config);
        var tensors = ReadAll(folder);
        var layers = Layers(tensors);
        try
        {
            string[] endings = [PackedWeights.Packed, PackedWeights.Scale, PackedWeights.ZeroPoint, PackedWeights.Shape];
            var plain = tensors.Where(pair => !endings.Any(ending => Layer(pair.Key, ending) is { } layer && layers.ContainsKey(layer)))
                .Concat(layers.Select(pair => KeyValuePair.Create($"{pair.Key}.weight",
                    pair.Value.Dequantize().to(tensors[$"{pair.Key}.{PackedWeights.Scale}"].dtype)))).ToList();
            config.Remove(Section);
            Directory.CreateDirectory(target);
            Write(target, plain, config);
        }
        finally
        {
            foreach (var layer in layers.Values) layer.Dispose();
        }
    }

    /// <summary>What an error says of a folder whose weights are compressed; null for an ordinary one.</summary>
    internal static string? Complaint(JsonElement? section) => section is { ValueKind: JsonValueKind.Object } found
        && found.TryGetProperty("quant_method", out var method) && method.ValueKind == JsonValueKind.String
        && method.GetString() == "compressed-tensors"
        ? "holds compressed weights; CompressedTensors.Expand writes an ordinary folder from it" : null;

    private static Dictionary<string, QuantizedTensor> Layers(Dictionary<string, Tensor> tensors)
    {
        var layers = new Dictionary<string, QuantizedTensor>();
        try
        {
            foreach (var name in tensors.Keys.Order(StringComparer.Ordinal))
                if (Layer(name, PackedWeights.Packed) is { } layer)
                    layers[layer] = PackedWeights.Read(layer, tensors.Where(pair => pair.Key.StartsWith($"{layer}.", StringComparison.Ordinal))
                        .ToDictionary(pair => pair.Key[(layer.Length + 1)..], pair => pair.Value));
            return layers;
        }
        catch
        {
            foreach (var layer in layers.Values) layer.Dispose();
            throw;
        }
    }

    private static string? Layer(string name, string ending) =>
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

    private static JsonObject Config(string folder)
    {
        var path = Path.Combine(folder, CheckpointFolder.Config);
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject
                ?? throw new InvalidDataException($"{path} is no JSON object.");
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is no JSON object: {error.Message}", error);
        }
    }

    private static void CheckFormat(string folder, JsonObject config)
    {
        var format = config[Section] is JsonObject section && section["quant_method"] is JsonValue method
            && method.TryGetValue<string>(out var name) && name == "compressed-tensors"
            && section["format"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        if (format != Format)
            throw new InvalidDataException($"{folder} has weights of the format '{format ?? "none"}'; expected {Format} of "
                + "compressed-tensors.");
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

    /// <summary>One group of settings for each scheme; the layers that are left out are named.</summary>
    private static JsonObject Describe(IReadOnlyDictionary<string, QuantizedTensor> layers, Dictionary<string, Tensor> tensors)
    {
        var schemes = layers.GroupBy(pair => pair.Value.Scheme).ToList();
        var groups = new JsonObject();
        for (var number = 0; number < schemes.Count; number++)
            groups[$"group_{number}"] = new JsonObject
            {
                ["targets"] = schemes.Count == 1 ? new JsonArray("Linear") : Names(schemes[number].Select(pair => pair.Key)),
                ["weights"] = Describe(schemes[number].Key),
                ["input_activations"] = null,
                ["output_activations"] = null,
            };
        var others = tensors.Where(pair => pair.Value.dim() == 2 && !pair.Key.Contains("embed", StringComparison.Ordinal))
            .Select(pair => Layer(pair.Key, "weight")).OfType<string>().Append("lm_head").Where(layer => !layers.ContainsKey(layer));
        return new JsonObject
        {
            ["quant_method"] = "compressed-tensors",
            ["format"] = Format,
            ["quantization_status"] = "compressed",
            ["config_groups"] = groups,
            ["ignore"] = Names(others.Distinct()),
            ["kv_cache_scheme"] = null,
        };
    }

    private static JsonObject Describe(QuantizationScheme scheme) => new()
    {
        ["num_bits"] = scheme.Bits,
        ["type"] = "int",
        ["symmetric"] = scheme.IsSymmetric,
        ["strategy"] = scheme.Granularity switch
        {
            ScaleGranularity.Tensor => "tensor",
            ScaleGranularity.Row => "channel",
            _ => "group",
        },
        ["group_size"] = scheme.Granularity == ScaleGranularity.Group ? scheme.GroupSize : null,
        ["actorder"] = null,
        ["dynamic"] = false,
        ["observer"] = "minmax",
    };

    private static JsonArray Names(IEnumerable<string> names) =>
        [.. names.Order(StringComparer.Ordinal).Select(name => (JsonNode)name)];
}
