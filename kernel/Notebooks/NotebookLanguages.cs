using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Which language a notebook's metadata says it is in.</summary>
/// <remarks>
/// https://github.com/dotnet/interactive/blob/main/docs/polyglot-with-jupyter.md for the names of Polyglot Notebooks.
/// </remarks>
internal static class NotebookLanguages
{
    private static readonly string[] Known = ["c#", "csharp", "f#", "fsharp", ".net", "dotnet", "polyglot", "researchkit"];

    /// <summary>The name as cells spell it; null where the metadata names none that is known.</summary>
    public static string? Of(JsonObject metadata) =>
        Default(metadata) ?? Spelled(Text(metadata["kernelspec"], "language"))
        ?? Spelled(Text(metadata["language_info"], "name"));

    /// <summary>Refuses a notebook that says it is written in another language.</summary>
    /// <exception cref="InvalidDataException">The notebook is, say, a Python one.</exception>
    public static void Require(NotebookDocument notebook, string name)
    {
        var told = Text(notebook.Metadata["kernelspec"], "language") ?? Text(notebook.Metadata["language_info"], "name");
        if (told is not null && !Known.Any(known => told.Contains(known, StringComparison.OrdinalIgnoreCase)))
            throw new InvalidDataException($"{name} is a notebook in {told}; expected C# or F#.");
    }

    private static string? Default(JsonObject metadata) =>
        Text((metadata["polyglot_notebook"] as JsonObject)?["kernelInfo"], "defaultKernelName");

    private static string? Spelled(string? language) => language?.ToUpperInvariant() switch
    {
        "C#" or "CSHARP" => "csharp",
        "F#" or "FSHARP" => "fsharp",
        _ => null,
    };

    private static string? Text(JsonNode? owner, string key) =>
        owner is JsonObject json && json[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text : null;
}
