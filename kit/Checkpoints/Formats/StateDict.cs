using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Saves and loads a model's parameters and buffers by name, as safetensors.</summary>
public static class StateDict
{
    /// <summary>Writes all persistent parameters and buffers.</summary>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static void Save(nn.Module model, string path)
    {
        Packing.Refuse(model, "saved");
        SafetensorsFile.Write(path, model.state_dict());
    }

    /// <summary>Loads all parameters and buffers of a model; its device and dtypes do not change.</summary>
    /// <remarks>
    /// What wrappers put before the names, such as <c>module.</c> and <c>_orig_mod.</c>, is taken off if the names then fit.
    /// </remarks>
    /// <param name="model">The model to load into.</param>
    /// <param name="path">A .safetensors, .pt, .pth or .bin file, or the .index.json of several.</param>
    /// <param name="key">
    /// Name of the state dict in a PyTorch file that holds several; null for the one that is plainly the model's.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// Names of the model are missing in the file, the file has other names, or shapes differ; the model is then
    /// unchanged.
    /// </exception>
    public static void Load(nn.Module model, string path, string? key = null)
    {
        using var reader = CheckpointReader.Open(path, key);
        var tensors = reader.ReadAll();
        try
        {
            var own = model.state_dict().Keys.ToHashSet();
            Load(model, WrapperNames.Fitting(tensors, own), path);
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>Copies tensors into the parameters and buffers of the same names.</summary>
    /// <param name="model">The model to load into.</param>
    /// <param name="tensors">Tensors by name; the caller keeps ownership.</param>
    /// <param name="source">Where the tensors come from, for error messages.</param>
    /// <exception cref="InvalidDataException">Names or shapes do not match; the model is then unchanged.</exception>
    public static void Load(nn.Module model, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        var own = model.state_dict();
        var problems = own.Keys.Where(name => !tensors.ContainsKey(name)).Select(name => $"{name} is missing")
            .Concat(tensors.Keys.Where(name => !own.ContainsKey(name)).Select(name => $"{name} is unexpected"))
            .Concat(own.Where(pair => tensors.TryGetValue(pair.Key, out var tensor)
                && !tensor.shape.SequenceEqual(pair.Value.shape))
                .Select(pair => $"{pair.Key} is {tensors[pair.Key].ShapeText()}, the model has {pair.Value.ShapeText()}"))
                .ToList();
        if (problems.Count > 0)
            throw new InvalidDataException(
                $"{source} does not fit the model {model.GetName()}: {string.Join("; ", problems.Take(10))}"
                + (problems.Count > 10 ? $"; and {problems.Count - 10} more." : "."));

        using var noGrad = no_grad();
        foreach (var (name, target) in own) target.copy_(tensors[name]);
    }
}
