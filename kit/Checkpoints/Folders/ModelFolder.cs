using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Saves any model of the kit as a folder, and loads it: <c>config.json</c> with the kit's own configuration, and
/// <c>model.safetensors</c>.
/// </summary>
/// <remarks>
/// For models that the reference libraries cannot describe, such as those with widths by layer after structured pruning. Only
/// this kit reads the folder. <c>SavePretrained</c> writes folders that the reference libraries read too.
/// </remarks>
public static class ModelFolder
{
    private const string Version = "researchkit", Name = "model", Config = "config";
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.General)
    {
        Converters = { new JsonStringEnumConverter() },
        IgnoreReadOnlyProperties = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameRotaryScalings } },
    };

    /// <summary>Writes a model.</summary>
    /// <param name="model">A model of the kit.</param>
    /// <param name="folder">The folder; it is created if it does not exist.</param>
    /// <param name="maximumShardBytes">The largest size of the tensors in one file.</param>
    /// <exception cref="ArgumentException">The model is not one of the kit's.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static void Save(nn.Module model, string folder, long maximumShardBytes = 5_000_000_000)
    {
        Packing.Refuse(model, "saved");
        var (name, config, kind) = ModelClass.All.Select(pair => (pair.Key, Config: pair.Value.ConfigOf(model), pair.Value))
            .FirstOrDefault(found => found.Config is not null);
        if (config is null)
            throw new ArgumentException($"{model.GetName()} is not a model of the kit; StateDict.Save writes its tensors alone.",
                nameof(model));
        SafetensorsFile.WriteSharded(folder, model.state_dict(), maximumShardBytes,
            new Dictionary<string, string> { ["format"] = "pt" });
        var json = new JsonObject
        {
            [Version] = 1,
            [Name] = name,
            [Config] = JsonSerializer.SerializeToNode(config, kind.Config, Format),
        };
        File.WriteAllText(Path.Combine(folder, CheckpointFolder.Config), json.ToJsonString(Format) + "\n");
    }

    /// <summary>Loads a model, in evaluation mode.</summary>
    /// <typeparam name="TModel">Class of the model.</typeparam>
    /// <param name="folder">A folder that <see cref="Save"/> wrote.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The folder has no configuration or no weights.</exception>
    /// <exception cref="InvalidDataException">
    /// The files are damaged, do not match each other, or describe a model of another class.
    /// </exception>
    public static TModel Load<TModel>(string folder) where TModel : nn.Module
    {
        var file = ConfigFile.Read(folder);
        if (!file.Has(Version))
            throw file.Bad(Version, "1, the version of the kit's own folders; FromPretrained reads those of the "
            + "reference libraries");
        var name = file.Text(Name, "");
        if (!ModelClass.All.TryGetValue(name, out var kind))
            throw file.Bad(Name, $"one of {string.Join(", ", ModelClass.All.Keys)}");
        var config = Read(folder, kind);
        using var reader = CheckpointReader.Open(CheckpointFolder.Weights(folder));
        if (kind.Layers(config) is var layers && layers > reader.Entries.Count)
            throw new InvalidDataException($"{file.Path} describes {layers} layers, but {reader.Path} has only "
                + $"{reader.Entries.Count} tensors.");
        var model = Valid(file.Path, () => MetaInitialization.Make(() => kind.Make(config)));
        try
        {
            if (model is not TModel own)
                throw new InvalidDataException($"{file.Path} describes a {name}; expected a {typeof(TModel).Name}.");
            Fill(model, reader);
            model.eval();
            return own;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Whether a configuration is the kit's own.</summary>
    internal static bool Describes(ConfigFile file) => file.Has(Version);

    private static object Read(string folder, ModelClass kind)
    {
        var path = Path.Combine(folder, CheckpointFolder.Config);
        return Valid(path, () => JsonNode.Parse(File.ReadAllText(path))![Config].Deserialize(kind.Config, Format)
            ?? throw new JsonException($"It has no field '{Config}'."));
    }

    private static void Fill(nn.Module model, CheckpointReader reader)
    {
        var own = model.state_dict();
        var problems = own.Keys.Where(name => !reader.Entries.ContainsKey(name)).Select(name => $"{name} is missing")
            .Concat(reader.Entries.Keys.Where(name => !own.ContainsKey(name)).Select(name => $"{name} is unexpected"))
            .Concat(own.Where(pair => reader.Entries.TryGetValue(pair.Key, out var entry)
                && !entry.Shape.SequenceEqual(pair.Value.shape)).Select(pair => $"{pair.Key} is "
                + $"[{string.Join(", ", reader.Entries[pair.Key].Shape)}], the configuration has {pair.Value.ShapeText()}"))
            .Take(10).ToList();
        if (problems.Count > 0)
            throw new InvalidDataException($"{reader.Path} does not fit its configuration: {string.Join("; ", problems)}.");
        MetaInitialization.Fill(own, (name, _) => reader.Read(name));
    }

    private static T Valid<T>(string path, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception error) when (error is ArgumentException or JsonException or NotSupportedException or ExternalException
            or OverflowException or NullReferenceException)
        {
            throw new InvalidDataException($"{path} does not describe a valid model: {error.Message}", error);
        }
    }

    /// <summary>The scalings of rotary positions are told apart by a field.</summary>
    private static void NameRotaryScalings(JsonTypeInfo type)
    {
        if (type.Type != typeof(RotaryScaling)) return;
        type.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = "kind",
            DerivedTypes =
            {
                new JsonDerivedType(typeof(RotaryScaling.Linear), "linear"),
                new JsonDerivedType(typeof(RotaryScaling.Llama3), "llama3"),
            },
        };
    }
}
