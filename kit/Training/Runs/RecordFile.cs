using System.Globalization;
using System.Text.Json;
using ResearchKit.Checkpoints;

namespace ResearchKit.Training;

/// <summary><c>record.json</c>: written whole, read with care.</summary>
internal static class RecordFile
{
    private static readonly string[] Needed = ["name", "started", "settings", "seed", "data"];

    public static string Write(RunRecord record)
    {
        var path = Path.Combine(record.Folder, RunRecord.FileName);
        Beside.Write(path, beside => File.WriteAllText(beside, JsonSerializer.Serialize(record, RunRecord.Json) + "\n"));
        return path;
    }

    public static RunRecord Read(string path)
    {
        var file = Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, RunRecord.FileName) : path);
        if (!File.Exists(file)) throw new FileNotFoundException($"There is no record of a run at {file}.", file);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            Check(json.RootElement, file);
            var record = json.RootElement.Deserialize<RunRecord>(RunRecord.Json)!;
            return record with
            {
                Folder = Path.GetDirectoryName(file)!,
                Settings = record.Settings.ToDictionary(setting => setting.Key, setting => Plain(setting.Value)),
            };
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(
                error.Path is { } place ? $"{file}: what stands at {place} is not what the record of a run has there."
                : string.Create(CultureInfo.InvariantCulture,
                    $"{file}, line {error.LineNumber + 1}: expected JSON. {error.Message}"), error);
        }
    }

    private static void Check(JsonElement root, string file)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{file}: expected the record of a run, found {Kind(root.ValueKind)}.");
        var missing = Needed.Where(name => !root.TryGetProperty(name, out _)).ToList();
        if (missing.Count > 0) throw new InvalidDataException(
            $"{file}: the record of a run has \"{string.Join("\", \"", missing)}\"; not found here.");
    }

    /// <summary>What a setting was before it became JSON, as far as that tells.</summary>
    private static object Plain(object value) => value is not JsonElement json ? value : json.ValueKind switch
    {
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.True or JsonValueKind.False => json.GetBoolean(),
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? (object)whole : json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(item => Plain(item)).ToArray(),
        _ => json.Clone(),
    };

    private static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
