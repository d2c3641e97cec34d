using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Validates that JSON is a notebook, adds missing fields, and converts it to nbformat 4.5.</summary>
internal sealed class NotebookChecks(string name)
{
    public void Check(JsonObject root)
    {
        CheckVersion(root);
        Require<JsonObject>(root, "metadata", "metadata", "an object", missing: () => []);
        if (!root.ContainsKey("cells")) throw Wrong("cells", "a list of cells", "nothing");
        var cells = Require<JsonArray>(root, "cells", "cells", "a list of cells");
        for (var i = 0; i < cells.Count; i++) CheckCell(cells[i], $"cells[{i}]");
        CellIds.Complete(cells);
        root["nbformat_minor"] = 5;
    }

    /// <summary>Returns the kind of a JSON node for error messages.</summary>
    public static string Describe(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };

    private void CheckVersion(JsonObject root)
    {
        if (!root.ContainsKey("nbformat"))
            throw new InvalidDataException($"{name} is not a notebook: it has no 'nbformat'; expected version 4.0 to 4.5.");
        var major = Whole(root["nbformat"], "nbformat");
        var minor = root.ContainsKey("nbformat_minor") ? Whole(root["nbformat_minor"], "nbformat_minor") : 0;
        if (major != 4 || minor is < 0 or > 5)
            throw new InvalidDataException(
                $"{name} is a notebook of format {major}.{minor}; expected 4.0 to 4.5. Save it again with a current Jupyter.");
        if (minor == 5 || !root.ContainsKey("nbformat_minor")) root["nbformat_minor"] = minor;
    }

    private void CheckCell(JsonNode? node, string place)
    {
        var cell = node as JsonObject ?? throw Wrong(place, "a cell (an object)", Describe(node));
        if (Text(cell["cell_type"]) is not ("code" or "markdown" or "raw"))
            throw Wrong($"{place}.cell_type", "'code', 'markdown' or 'raw'", Quoted(cell, "cell_type"));
        if (cell.ContainsKey("id") && !IsId(Text(cell["id"])))
            throw Wrong($"{place}.id", "1 to 64 letters, digits, '-' or '_'", Quoted(cell, "id"));
        CheckText(cell, "source", $"{place}.source");
        var metadata = Require<JsonObject>(cell, "metadata", $"{place}.metadata", "an object", missing: () => []);
        if (metadata["tags"] is { } tags && (tags is not JsonArray list || list.Any(tag => Text(tag) is null)))
            throw Wrong($"{place}.metadata.tags", "a list of strings", Describe(tags));
        if (cell["attachments"] is not (null or JsonObject))
            throw Wrong($"{place}.attachments", "an object", Describe(cell["attachments"]));
        if (Text(cell["cell_type"]) == "code") CheckCode(cell, place);
    }

    private void CheckCode(JsonObject cell, string place)
    {
        if (cell["execution_count"] is { } count) Whole(count, $"{place}.execution_count");
        var outputs = Require<JsonArray>(cell, "outputs", $"{place}.outputs", "a list", missing: () => []);
        for (var i = 0; i < outputs.Count; i++)
        {
            var at = $"{place}.outputs[{i}]";
            var output = outputs[i] as JsonObject ?? throw Wrong(at, "an output (an object)", Describe(outputs[i]));
            CheckOutput(output, at);
        }
    }

    private void CheckOutput(JsonObject output, string place)
    {
        switch (Text(output["output_type"]))
        {
            case "stream":
                if (Text(output["name"]) is null) throw Wrong($"{place}.name", "a string", Missing(output, "name"));
                CheckText(output, "text", $"{place}.text");
                break;
            case "display_data" or "execute_result":
                var data = Require<JsonObject>(output, "data", $"{place}.data", "an object of mime types");
                foreach (var (mime, _) in data.Where(entry => entry.Key.StartsWith("text/", StringComparison.Ordinal)).ToList())
                    CheckText(data, mime, $"{place}.data['{mime}']");
                break;
            case "error":
                foreach (var key in new[] { "ename", "evalue" })
                    if (Text(output[key]) is null) throw Wrong($"{place}.{key}", "a string", Missing(output, key));
                if (output["traceback"] is not JsonArray lines || lines.Any(line => Text(line) is null))
                    throw Wrong($"{place}.traceback", "a list of strings", Missing(output, "traceback"));
                break;
            default:
                var expected = "'stream', 'display_data', 'execute_result' or 'error'";
                throw Wrong($"{place}.output_type", expected, Quoted(output, "output_type"));
        }
    }

    private void CheckText(JsonObject owner, string key, string place)
    {
        var node = owner[key];
        if (Text(node) is not null || (node is JsonArray lines && lines.All(line => Text(line) is not null))) return;
        throw Wrong(place, "a string or a list of strings",
            node is JsonArray ? "a list that holds something else" : Missing(owner, key));
    }

    private T Require<T>(JsonObject owner, string key, string place, string expected, Func<T>? missing = null)
        where T : JsonNode
    {
        if (missing is not null && !owner.ContainsKey(key)) owner[key] = missing();
        return owner[key] as T ?? throw Wrong(place, expected, Missing(owner, key));
    }

    private int Whole(JsonNode? node, string place) =>
        node is JsonValue value && value.TryGetValue<int>(out var number) ? number
            : throw Wrong(place, "a whole number", Describe(node));

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static string Quoted(JsonObject owner, string key) =>
        Text(owner[key]) is { } text ? $"'{text}'" : Missing(owner, key);

    private static string Missing(JsonObject owner, string key) => owner.ContainsKey(key) ? Describe(owner[key]) : "nothing";

    private static bool IsId(string? id) =>
        id is { Length: >= 1 and <= 64 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private InvalidDataException Wrong(string place, string expected, string found) =>
        new($"{name}: {place}: expected {expected}, found {found}.");
}
