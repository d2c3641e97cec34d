using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>The language in a cell's metadata, which Polyglot Notebooks stores under two keys.</summary>
internal static class CellLanguage
{
    /// <summary>Returns the language; null if the metadata has none.</summary>
    public static string? Of(JsonObject metadata) =>
        Text(metadata["polyglot_notebook"], "kernelName") ?? Text(metadata["dotnet_interactive"], "language");

    /// <summary>Writes the language under both keys.</summary>
    public static void Set(JsonObject metadata, string language)
    {
        metadata["dotnet_interactive"] = new JsonObject { ["language"] = language };
        metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = language };
    }

    private static string? Text(JsonNode? owner, string key) =>
        owner is JsonObject json && json[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text : null;
}
