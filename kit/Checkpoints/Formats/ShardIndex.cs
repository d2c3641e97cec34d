using System.Text.Json;

namespace ResearchKit.Checkpoints;

/// <summary>The index of a sharded checkpoint, which says which file holds which tensor.</summary>
internal static class ShardIndex
{
    private const long LongestIndex = 100_000_000;   // bytes; the limit of a safetensors header too

    /// <summary>Reads an index: the full path of each file and the tensors that it must hold.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not an index, or it names a file outside its own folder.
    /// </exception>
    public static List<(string File, HashSet<string> Names)> Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {path}; expected an index of checkpoint files.", path);
        if (new FileInfo(path).Length > LongestIndex) throw Bad(path, $"it has {new FileInfo(path).Length} bytes");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (OtherContent.Of(bytes.AsSpan(0, Math.Min(bytes.Length, 512)), bytes.Length) is { } other)
                throw new InvalidDataException($"{path} {other}");
            using var json = JsonDocument.Parse(bytes,
                new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
                throw Bad(path, "it lacks an object 'weight_map'");
            return [.. map.EnumerateObject().GroupBy(pair => FileName(path, pair))
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (Path.Combine(folder, group.Key), group.Select(pair => pair.Name).ToHashSet()))];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)   // the latter: text that is not UTF-8
        {
            throw Bad(path, error.Message);
        }
    }

    /// <summary>Writes an index.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, string>> fileOfTensor, long totalBytes) =>
        File.WriteAllText(path, JsonSerializer.Serialize(
            new
            {
                metadata = new { total_size = totalBytes },
                weight_map = new SortedDictionary<string, string>(fileOfTensor.ToDictionary(), StringComparer.Ordinal)
            },
            JsonLayout.Indented));

    private static string FileName(string path, JsonProperty pair)
    {
        var name = pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString()! : "";
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny("/\\:\0"))
            throw Bad(path, $"it places tensor '{pair.Name}' in {(name == "" ? "no file" : $"'{name}'")}; expected the name "
                + "of a file beside it");
        return name;
    }

    private static InvalidDataException Bad(string path, string why) =>
        new($"{path} is not an index of checkpoint files: {why}.");
}
