using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>The files of a model's folder, by the names that published models have.</summary>
internal static partial class CheckpointFolder
{
    public const string Config = "config.json", Safetensors = "model.safetensors",
        SafetensorsIndex = "model.safetensors.index.json";
    private static readonly string[] InOrder =
        [Safetensors, SafetensorsIndex, "pytorch_model.bin", "pytorch_model.bin.index.json"];

    /// <summary>
    /// The file to open for the weights: by the known names in their order, else the only .safetensors, .pth, .pt or .bin.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It has no weights, or several files that could be them.</exception>
    public static string Weights(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder {folder}; expected one with {Config} and {Safetensors}.");
        if (InOrder.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } known) return known;
        var other = Directory.EnumerateFiles(folder).Where(path =>
            Path.GetExtension(path) is ".safetensors" or ".pth" or ".pt" or ".bin").Order(StringComparer.Ordinal).ToList();
        var rest = other.Count == 0 ? "no other file of weights"
            : $"several others: {string.Join(", ", other.Select(Path.GetFileName))}";
        return other.Count == 1 ? other[0]
            : throw new FileNotFoundException($"{folder} has none of {string.Join(", ", InOrder)}, and {rest}.");
    }

    /// <summary>Removes what an earlier checkpoint of safetensors has left beside the files of a new one.</summary>
    public static void RemoveOther(string folder, List<string> files)
    {
        if (files.Count > 1) files.Add(SafetensorsIndex);
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            var name = Path.GetFileName(path);
            if (!files.Contains(name) && (name is Safetensors or SafetensorsIndex || Shard().IsMatch(name))) File.Delete(path);
        }
    }

    [GeneratedRegex(@"^model-\d{5}-of-\d{5}\.safetensors$")]
    private static partial Regex Shard();
}
