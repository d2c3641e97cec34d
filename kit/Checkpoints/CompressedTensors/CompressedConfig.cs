using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>What config.json says of weights in the format pack-quantized.</summary>
internal static class CompressedConfig
{
    /// <summary>The field that describes the weights.</summary>
    public const string Section = "quantization_config";

    private const string Format = "pack-quantized";

    /// <summary>What an error says of a folder whose weights are compressed; null for an ordinary one.</summary>
    public static string? Complaint(JsonElement? section) => section is { ValueKind: JsonValueKind.Object } found
        && found.TryGetProperty("quant_method", out var method) && method.ValueKind == JsonValueKind.String
        && method.GetString() == "compressed-tensors"
        ? "holds compressed weights; CompressedTensors.Expand writes an ordinary folder from it" : null;

    public static JsonObject Read(string folder)
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

    public static void CheckFormat(string folder, JsonObject config)
    {
        var format = config[Section] is JsonObject section && section["quant_method"] is JsonValue method
            && method.TryGetValue<string>(out var name) && name == "compressed-tensors"
            && section["format"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        if (format != Format)
            throw new InvalidDataException($"{folder} has weights of the format '{format ?? "none"}'; expected {Format} of "
                + "compressed-tensors.");
    }

    /// <summary>One group of settings for each scheme; the layers that are left out are named.</summary>
    public static JsonObject Describe(IReadOnlyDictionary<string, QuantizedTensor> layers, Dictionary<string, Tensor> tensors)
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
            .Select(pair => CompressedTensors.Layer(pair.Key, "weight")).OfType<string>().Append("lm_head")
            .Where(layer => !layers.ContainsKey(layer));
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
