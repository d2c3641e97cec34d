using System.Globalization;
using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Reads and writes adapters in peft's format: adapter_config.json and adapter_model.safetensors.</summary>
/// <remarks>https://huggingface.co/docs/peft/developer_guides/checkpoint.</remarks>
public static class AdapterFiles
{
    private const string ConfigFile = "adapter_config.json", WeightsFile = "adapter_model.safetensors",
        Prefix = "base_model.model.";

    /// <summary>Saves the adapters of a model.</summary>
    /// <param name="model">A model with adapters that are not merged.</param>
    /// <param name="folder">Folder to write to; it is created.</param>
    /// <param name="options">The options that the adapters were attached with.</param>
    /// <exception cref="InvalidOperationException">The model has no adapter, or they are merged.</exception>
    public static void Save(nn.Module model, string folder, LowRankOptions options)
    {
        var adapters = Adapters.Of(model);
        if (adapters.Count == 0) throw new InvalidOperationException("The model has no adapter.");
        if (adapters.Values.Any(adapter => adapter.IsMerged))
            throw new InvalidOperationException("The adapters are merged; unmerge them before saving.");
        Directory.CreateDirectory(folder);
        SafetensorsFile.Write(Path.Combine(folder, WeightsFile),
            adapters.SelectMany(pair => Tensors(BaseOf(model) + pair.Key, pair.Value)));
        AtomicWrite.Text(Path.Combine(folder, ConfigFile), JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["peft_type"] = "LORA",
            ["r"] = options.Rank,
            ["lora_alpha"] = options.Alpha,
            ["lora_dropout"] = options.Dropout,
            ["use_rslora"] = options.IsRankStabilized,
            ["use_dora"] = options.HasMagnitudes,
            ["fan_in_fan_out"] = adapters.Keys.Any(name => model.named_modules()
                .Any(pair => pair.name == name && pair.module is Layers.Conv1D)),
            ["bias"] = "none",
            ["target_modules"] = adapters.Keys.Select(name => name.Split('.')[^1]).Distinct().Order().ToArray(),
        }, JsonLayout.Indented));
    }

    /// <summary>Attaches the adapters that a folder holds, with their weights.</summary>
    /// <param name="model">A model without adapters.</param>
    /// <param name="folder">Folder with peft's two files.</param>
    /// <param name="baseScheme">Codes that the frozen weights are rounded to (QLoRA); null leaves them as they are.</param>
    /// <returns>The options that the file states.</returns>
    /// <exception cref="InvalidDataException">
    /// A file is malformed, is no LoRA, or has tensors for layers that the model lacks or of another shape; the model is as it
    /// was.
    /// </exception>
    public static LowRankOptions Load(nn.Module model, string folder, QuantizationScheme? baseScheme = null)
    {
        using var scope = NewDisposeScope();
        var tensors = SafetensorsFile.Read(Path.Combine(folder, WeightsFile));
        tensors = tensors.ToDictionary(pair => WithoutBase(pair.Key, BaseOf(model)), pair => pair.Value);
        var byLayer = tensors.Keys.Select(LayerOf).Distinct().ToHashSet();
        var options = ReadOptions(Path.Combine(folder, ConfigFile)) with { Targets = byLayer.Contains, Base = baseScheme };
        var names = model.named_modules().Where(pair => pair.module is Layers.IAdaptableLayer)
            .ToDictionary(pair => pair.name, pair => (Layers.IAdaptableLayer)pair.module);
        foreach (var layer in byLayer)
            if (!names.ContainsKey(layer))
                throw new InvalidDataException($"{folder} has an adapter for {layer}, which the model lacks.");
        CheckShapes(folder, tensors, names, options);
        Adapters.Attach(model, options);
        using var noGrad = no_grad();
        foreach (var (name, adapter) in Adapters.Of(model))
            foreach (var (key, tensor) in Tensors(name, adapter)) tensor.copy_(tensors[key]);
        return options;
    }

    /// <summary>transformers' name of the base model inside a GPT-2 with a head, which the kit's names lack.</summary>
    private static string BaseOf(nn.Module model) => model is Gpt ? "transformer." : "";

    private static string WithoutBase(string key, string part) =>
        part.Length > 0 && key.StartsWith(Prefix + part, StringComparison.Ordinal) ? Prefix + key[(Prefix + part).Length..] : key;

    private static IEnumerable<KeyValuePair<string, Tensor>> Tensors(string layer, Layers.LowRankAdapter adapter)
    {
        yield return new($"{Prefix}{layer}.lora_A.weight", adapter.A);
        yield return new($"{Prefix}{layer}.lora_B.weight", adapter.B);
        if (adapter.Magnitudes is { } lengths) yield return new($"{Prefix}{layer}.lora_magnitude_vector", lengths);
    }

    private static string LayerOf(string key)
    {
        var end = key.LastIndexOf(".lora_", StringComparison.Ordinal);
        return key.StartsWith(Prefix, StringComparison.Ordinal) && end > Prefix.Length ? key[Prefix.Length..end]
            : throw new InvalidDataException($"{key} is no tensor of a LoRA adapter; expected {Prefix}….lora_A.weight and the "
                + "like.");
    }

    private static void CheckShapes(string folder, Dictionary<string, Tensor> tensors,
        Dictionary<string, Layers.IAdaptableLayer> layers, LowRankOptions options)
    {
        foreach (var name in tensors.Keys.Select(LayerOf).Distinct())
        {
            using var matrix = layers[name].Matrix();
            (string, long[])[] expected =
            [
                ("lora_A.weight", [options.Rank, matrix.shape[1]]), ("lora_B.weight", [matrix.shape[0], options.Rank]),
                .. Magnitudes(options, matrix.shape[0]),
            ];
            foreach (var (ending, shape) in expected)
            {
                var key = $"{Prefix}{name}.{ending}";
                if (!tensors.TryGetValue(key, out var tensor)) throw new InvalidDataException($"{folder} lacks {key}.");
                if (!tensor.shape.SequenceEqual(shape))
                    throw new InvalidDataException($"{key} is {tensor.ShapeText()}; expected [{string.Join(", ", shape)}].");
            }
        }
    }

    private static (string, long[])[] Magnitudes(LowRankOptions options, long rows) =>
        options.HasMagnitudes ? [("lora_magnitude_vector", [rows])] : [];

    private static LowRankOptions ReadOptions(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var root = json.RootElement;
            var type = root.TryGetProperty("peft_type", out var found) ? found.GetString() : null;
            if (type != "LORA") throw new InvalidDataException($"{path} is an adapter of type '{type}'; expected LORA.");
            bool Is(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
            return new LowRankOptions
            {
                Rank = root.GetProperty("r").GetInt32(),
                Alpha = root.GetProperty("lora_alpha").GetDouble(),
                Dropout = root.TryGetProperty("lora_dropout", out var dropout) ? dropout.GetDouble() : 0,
                IsRankStabilized = Is("use_rslora"),
                HasMagnitudes = Is("use_dora"),
            };
        }
        catch (Exception error)
            when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{path} is no adapter configuration: {error.Message}"), error);
        }
    }
}
