using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>File names in a model's folder, as published models use them.</summary>
internal static partial class CheckpointFolder
{
    public const string Config = "config.json", Safetensors = "model.safetensors",
        SafetensorsIndex = "model.safetensors.index.json";
    private static readonly string[] InOrder =
        [Safetensors, SafetensorsIndex, "pytorch_model.bin", "pytorch_model.bin.index.json"];

    /// <summary>What training programs write beside the weights.</summary>
    private static readonly string[] Beside = ["optimizer", "scheduler", "scaler", "training_args", "rng_state", "random_states"];

    /// <summary>
    /// Returns the weights file to open: the first of the known names that exists, else the only .safetensors,
    /// .pth, .pt, .ckpt or .bin file that is not the state of an optimizer or the like.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="FileNotFoundException">
    /// The folder has no weights file, or several files that could be one.
    /// </exception>
    public static string Weights(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder {folder}; expected one with {Config} and {Safetensors}.");
        if (InOrder.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } known) return known;
        var other = Directory.EnumerateFiles(folder).Where(path =>
            Path.GetExtension(path) is ".safetensors" or ".pth" or ".pt" or ".ckpt" or ".bin"
                && !Beside.Any(name => Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal)))
                    .Order(StringComparer.Ordinal).ToList();
        var rest = other.Count == 0 ? "no other file of weights"
            : $"several others: {string.Join(", ", other.Select(Path.GetFileName))}";
        return other.Count == 1 ? other[0]
            : throw new FileNotFoundException($"{folder} has none of {string.Join(", ", InOrder)}, and {rest}.");
    }

    /// <summary>Removes safetensors files of an earlier checkpoint that do not belong to the new one.</summary>
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
