using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>A cell's language in its metadata, under the two names that Polyglot Notebooks writes.</summary>
internal static class CellLanguage
{
    /// <summary>The language; null where the metadata names none.</summary>
    public static string? Of(JsonObject metadata) =>
        Text(metadata["polyglot_notebook"], "kernelName") ?? Text(metadata["dotnet_interactive"], "language");

    /// <summary>Writes it under both names.</summary>
    public static void Set(JsonObject metadata, string language)
    {
        metadata["dotnet_interactive"] = new JsonObject { ["language"] = language };
        metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = language };
    }

    private static string? Text(JsonNode? owner, string key) =>
        owner is JsonObject json && json[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text : null;
}
