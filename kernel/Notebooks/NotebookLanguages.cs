using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Reads the language of a notebook from its metadata.</summary>
/// <remarks>
/// https://github.com/dotnet/interactive/blob/main/docs/polyglot-with-jupyter.md for the names of Polyglot Notebooks.
/// </remarks>
internal static class NotebookLanguages
{
    private static readonly string[] Known = ["c#", "csharp", "f#", "fsharp", ".net", "dotnet", "polyglot", "researchkit"];

    /// <summary>Returns the language by its name in cells; null if the metadata names no known language.</summary>
    public static string? Of(JsonObject metadata) =>
        Default(metadata) ?? Spelled(Text(metadata["kernelspec"], "language"))
        ?? Spelled(Text(metadata["language_info"], "name"));

    /// <summary>Throws if the metadata names a language that this kernel does not have.</summary>
    /// <exception cref="InvalidDataException">The notebook is in another language, such as Python.</exception>
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
