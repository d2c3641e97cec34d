using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders of checkpoints from the golden cases of models.</summary>
internal static class GoldenFolder
{
    /// <summary>The configuration file of a folder.</summary>
    public static JsonObject Config(TemporaryFolder folder) =>
        JsonNode.Parse(File.ReadAllText(folder.PathTo("config.json")))!.AsObject();

    /// <summary>Copies a case's configuration, and its file of weights where there is one.</summary>
    public static void Place(TemporaryFolder folder, string name, string? weights = null)
    {
        var golden = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        foreach (var file in new[] { "config.json", weights })
            if (file is not null) File.Copy(Path.Combine(golden, file), folder.PathTo(file), overwrite: true);
    }

    /// <summary>Writes model.safetensors with tensors of zeros, which take no room, but for the first numbers of some.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="tensors">Pairs of name and shape.</param>
    /// <param name="values">The first numbers of some tensors.</param>
    public static void WriteHollow(TemporaryFolder folder, JsonElement tensors, Dictionary<string, float[]> values)
    {
        var header = new JsonObject();
        var places = new Dictionary<string, long>();
        var end = 0L;
        foreach (var (name, shape) in tensors.EnumerateArray()
            .Select(pair => (pair[0].GetString()!, pair[1].EnumerateArray().Select(size => size.GetInt64()).ToList())))
        {
            var counter = shape.Count == 0;
            places[name] = end;
            end += counter ? 8 : 4 * shape.Aggregate(1L, (product, size) => product * size);
            header[name] = new JsonObject
            {
                ["dtype"] = counter ? "I64" : "F32",
                ["shape"] = new JsonArray([.. shape.Select(size => JsonValue.Create(size))]),
                ["data_offsets"] = new JsonArray(places[name], end),
            };
        }
        var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        var padded = (text.Length + 7) / 8 * 8;
        using var file = File.Create(folder.PathTo("model.safetensors"));
        file.Write(BitConverter.GetBytes((long)padded));
        file.Write(text);
        file.Write(Enumerable.Repeat((byte)' ', padded - text.Length).ToArray());
        file.SetLength(8 + padded + end);
        foreach (var (name, numbers) in values)
        {
            file.Position = 8 + padded + places[name];
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(numbers));
        }
    }
}
