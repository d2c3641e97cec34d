using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>How models of one class are kept in a folder as published ones are: <c>config.json</c> and weights.</summary>
/// <typeparam name="TModel">The kit's model.</typeparam>
/// <typeparam name="TConfig">Its configuration.</typeparam>
internal sealed class PretrainedFormat<TModel, TConfig> where TModel : nn.Module
{
    /// <summary>
    /// The architecture in a <c>config.json</c> of transformers: <c>gpt2</c>; null for other libraries' models.
    /// </summary>
    public string? ModelType { get; init; }

    /// <summary>The class that transformers makes of it: <c>GPT2LMHeadModel</c>; null likewise.</summary>
    public string? Architecture { get; init; }

    /// <summary>The names of a model's tensors.</summary>
    public required Func<TConfig, NameRules> Names { get; init; }

    /// <summary>From <c>config.json</c> to the kit's configuration.</summary>
    public required Func<ConfigFile, TConfig> Read { get; init; }

    /// <summary>From the kit's configuration to the fields of <c>config.json</c>; refuses what it cannot say.</summary>
    public required Func<TConfig, JsonObject> Write { get; init; }

    /// <summary>Makes a model; the names are those of the file that will fill it.</summary>
    public required Func<TConfig, IEnumerable<string>, TModel> Make { get; init; }

    /// <summary>
    /// Number of layers, each of which has tensors in the file: a configuration that claims more is refused before any is made.
    /// </summary>
    public required Func<TConfig, int> Layers { get; init; }

    /// <summary>A model's configuration.</summary>
    public required Func<TModel, TConfig> ConfigOf { get; init; }

    /// <summary>A model, in evaluation mode, with the weights of a folder.</summary>
    /// <param name="folder">Where they are.</param>
    /// <param name="mapped">
    /// Whether parameters may lie on the pages of the file; not on Windows, where a mapped file cannot be replaced.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It has no configuration or no weights.</exception>
    /// <exception cref="InvalidDataException">
    /// Its files are damaged, describe another architecture, or do not belong together.
    /// </exception>
    public TModel Load(string folder, bool mapped)
    {
        var file = ConfigFile.Read(folder);
        if (ModelType is not null) file.ExpectType(ModelType);
        var config = Checked(() => Read(file), folder);
        using var reader = CheckpointReader.Open(CheckpointFolder.Weights(folder));
        if (Layers(config) > reader.Entries.Count)
            throw new InvalidDataException($"{Path.Combine(folder, CheckpointFolder.Config)} describes {Layers(config)} layers; "
                + $"{reader.Path} has {reader.Entries.Count} tensors in all.");
        var model = MetaInitialization.Make(() => Checked(() => Make(config, reader.Entries.Keys), folder));
        try
        {
            var match = NameMatch.Find(model.GetName(), model.state_dict(), reader, Names(config));
            if (MetaInitialization.CanFill(model, match.Keys))
            {
                var device = get_default_device();
                MetaInitialization.Fill(model.state_dict(), (name, like) => mapped && !OperatingSystem.IsWindows()
                    ? reader.MapLike(match[name], like, device) : reader.ReadLike(match[name], like, device));
            }
            else
            {
                model.Dispose();
                model = Make(config, reader.Entries.Keys);
                foreach (var (name, tensor) in model.state_dict())
                    if (match.TryGetValue(name, out var own)) reader.CopyTo(own, tensor);
            }
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Writes a folder that the reference library reads.</summary>
    /// <param name="model">What is written.</param>
    /// <param name="folder">Where to; is made if it is not there.</param>
    /// <param name="maximumShardBytes">Most bytes of tensors in a file.</param>
    /// <exception cref="ArgumentException">The reference's configuration cannot say what the model is.</exception>
    public void Save(TModel model, string folder, long maximumShardBytes)
    {
        Packing.Refuse(model, "saved");
        var own = model.state_dict();
        var rules = Names(ConfigOf(model));
        var config = Write(ConfigOf(model));
        if (ModelType is not null)
        {
            config["architectures"] = new JsonArray(Architecture);
            config["model_type"] = ModelType;
            config["torch_dtype"] = own.Values.First().dtype.ToString().ToLowerInvariant();
        }
        var tensors = rules.WithoutAliases(own.Keys).Select(name => KeyValuePair.Create(rules.Published(name), own[name]));
        SafetensorsFile.WriteSharded(folder, tensors, maximumShardBytes, new Dictionary<string, string> { ["format"] = "pt" });
        File.WriteAllText(Path.Combine(folder, CheckpointFolder.Config), config.ToJsonString(JsonLayout.Indented) + "\n");
    }

    private static T Checked<T>(Func<T> make, string folder)
    {
        try
        {
            return make();
        }
        // the second: sizes that libtorch refuses
        catch (Exception error) when (error is ArgumentException or ExternalException or OverflowException)
        {
            throw new InvalidDataException(
                $"{Path.Combine(folder, CheckpointFolder.Config)} describes no model: {error.Message}", error);
        }
    }
}
