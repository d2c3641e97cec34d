using System.Text.Json.Nodes;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Refuses notebooks that say they are written in another language.</summary>
internal static class NotebookLanguage
{
    private static readonly string[] Known = ["c#", "csharp", "f#", "fsharp", ".net", "dotnet", "polyglot", "researchkit"];

    /// <exception cref="InvalidDataException">The notebook is, say, a Python one.</exception>
    public static void Require(NotebookDocument notebook, string name)
    {
        var told = new[] { Text(notebook.Metadata["kernelspec"], "language"), Text(notebook.Metadata["language_info"], "name") }
            .FirstOrDefault(language => !string.IsNullOrEmpty(language));
        if (told is not null && !Known.Any(known => told.Contains(known, StringComparison.OrdinalIgnoreCase)))
            throw new InvalidDataException($"{name} is a notebook in {told}; expected C# or F#.");
    }

    private static string? Text(JsonNode? owner, string key) =>
        owner is JsonObject json && json[key] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
