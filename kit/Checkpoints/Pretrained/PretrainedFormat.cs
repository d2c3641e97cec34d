using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Describes how models of one class are stored in the folder layout of published models: <c>config.json</c>
/// and weights.
/// </summary>
/// <typeparam name="TModel">The kit's model class.</typeparam>
/// <typeparam name="TConfig">The configuration of the model class.</typeparam>
internal sealed class PretrainedFormat<TModel, TConfig> where TModel : nn.Module
{
    /// <summary>
    /// The <c>model_type</c> in a <c>config.json</c> of transformers, such as <c>gpt2</c>; null for models of other
    /// libraries.
    /// </summary>
    public string? ModelType { get; init; }

    /// <summary>
    /// Class name in transformers, such as <c>GPT2LMHeadModel</c>; null for models of other libraries.
    /// </summary>
    public string? Architecture { get; init; }

    /// <summary>Returns the rules for tensor names of a configuration.</summary>
    public required Func<TConfig, NameRules> Names { get; init; }

    /// <summary>Converts <c>config.json</c> to the kit's configuration.</summary>
    public required Func<ConfigFile, TConfig> Read { get; init; }

    /// <summary>
    /// Converts the kit's configuration to the fields of <c>config.json</c>; throws if they cannot express it.
    /// </summary>
    public required Func<TConfig, JsonObject> Write { get; init; }

    /// <summary>Creates a model, given its configuration and the tensor names in the file to load.</summary>
    public required Func<TConfig, IEnumerable<string>, TModel> Make { get; init; }

    /// <summary>
    /// Returns the number of layers. A configuration with more layers than the file has tensors is refused before a
    /// model is created.
    /// </summary>
    public required Func<TConfig, int> Layers { get; init; }

    /// <summary>Returns the configuration of a model.</summary>
    public required Func<TModel, TConfig> ConfigOf { get; init; }

    /// <summary>What can be changed while a model is loaded: its head, its image size, its vocabulary.</summary>
    public PretrainedChanges<TConfig> Changes { get; init; } = new();

    /// <summary>Loads a model with the weights of a folder, in evaluation mode.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="options">How to load; a mapping is ignored on Windows, where a mapped file cannot be replaced.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">The folder has no configuration or no weights.</exception>
    /// <exception cref="ArgumentException">A size of the options is too small.</exception>
    /// <exception cref="InvalidDataException">
    /// The files are damaged, describe another architecture, or do not match each other.
    /// </exception>
    public TModel Load(string folder, LoadOptions options)
    {
        var file = ConfigFile.Read(folder, example:
            ModelType is null ? "{ \"architecture\": \"resnet18\" } with the constructor of the model's own kind" : null);
        if (ModelFolder.Describes(file))
            throw new InvalidDataException($"{folder} is a folder that this kit alone reads: "
                + $"ModelFolder.Load<{typeof(TModel).Name}>(folder).");
        if (ModelType is not null) file.ExpectType(ModelType);
        if (CompressedConfig.Complaint(file.Element(CompressedConfig.Section)) is { } complaint)
            throw new InvalidDataException($"{folder} {complaint}.");
        var config = Changes.Apply(Checked(() => Read(file), folder), options);
        using var reader = CheckpointReader.Open(CheckpointFolder.Weights(folder), options.Key);
        if (Layers(config) > reader.Entries.Count)
            throw new InvalidDataException($"{Path.Combine(folder, CheckpointFolder.Config)} describes {Layers(config)} "
                + $"layers, but {reader.Path} has only {reader.Entries.Count} tensors.");
        var model = MetaInitialization.Make(() => Checked(() => Make(config, reader.Entries.Keys), folder));
        try
        {
            var match = NameMatch.Find(model.GetName(), model.state_dict(), reader, Changes.Rules(Names(config), options),
                Changes.Tolerance(options));
            if (match.Resized.Count == 0 && MetaInitialization.CanFill(model, match.Files.Keys))
            {
                var device = get_default_device();
                MetaInitialization.Fill(model.state_dict(), (name, like) => options.Mapped && !OperatingSystem.IsWindows()
                    ? reader.MapLike(match.Files[name], like, device) : reader.ReadLike(match.Files[name], like, device));
            }
            else
            {
                model.Dispose();
                model = Make(config, reader.Entries.Keys);
                Copy(reader, match, model);
            }
            model.eval();
            Report(model, reader, match, options).Attach(model);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private void Copy(CheckpointReader reader, NameMatching match, TModel model)
    {
        foreach (var (name, tensor) in model.state_dict())
        {
            if (!match.Files.TryGetValue(name, out var own)) continue;
            if (!match.Resized.Contains(name))
            {
                reader.CopyTo(own, tensor);
                continue;
            }
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            try
            {
                Changes.Resize(name, reader.Read(own).to(tensor.dtype), tensor);
            }
            catch (InvalidDataException error)
            {
                throw new InvalidDataException($"{reader.Path} does not fit: {name} {error.Message}.", error);
            }
        }
    }

    private static LoadReport Report(TModel model, CheckpointReader reader, NameMatching match, LoadOptions options)
    {
        var own = model.state_dict();
        var fresh = match.New.ToDictionary();
        return new LoadReport(model.GetName(), reader.Path, own.Count)
        {
            Key = options.Key,
            Prefix = match.Prefix,
            New = [.. own.Where(pair => fresh.ContainsKey(pair.Key))
                .Select(pair => $"{pair.Key} {pair.Value.ShapeText()} ({fresh[pair.Key]})")],
            Resized = [.. match.Resized.Order(StringComparer.Ordinal).Select(name => $"{name} "
                + $"[{string.Join(", ", reader.Entries[match.Files[name]].Shape)}] to {own[name].ShapeText()}")],
            LeftOut = match.LeftOut,
        };
    }

    /// <summary>Writes a folder that the reference library can load.</summary>
    /// <param name="model">The model to save.</param>
    /// <param name="folder">The folder; it is created if it does not exist.</param>
    /// <param name="maximumShardBytes">Maximum bytes of tensors in a file.</param>
    /// <exception cref="ArgumentException">
    /// The configuration format of the reference library cannot describe the model.
    /// </exception>
    public void Save(TModel model, string folder, long maximumShardBytes)
    {
        Packing.Refuse(model, "saved");
        LowRankAdapter.RefuseUnmerged(model, "whose tensors no library reads from a model's folder (AdapterFiles.Save "
            + "writes them apart)");
        var own = model.state_dict().Where(pair => !LowRankAdapter.IsOfAdapter(pair.Key)).ToDictionary();
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
            throw new InvalidDataException($"{Path.Combine(folder, CheckpointFolder.Config)} does not describe a valid "
                + $"model: {error.Message}", error);
        }
    }
}
