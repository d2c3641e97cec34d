using System.Text.RegularExpressions;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>Reads files for <c>#!import</c> as cells.</summary>
internal static partial class ImportedFile
{
    private static readonly Dictionary<string, string> LanguageOfFile = new(StringComparer.OrdinalIgnoreCase)
    {
        [".cs"] = "csharp",
        [".csx"] = "csharp",
        [".fs"] = "fsharp",
        [".fsx"] = "fsharp",
        [".html"] = "html",
        [".js"] = "javascript",
        [".md"] = "markdown",
        [".mmd"] = "mermaid",
        [".py"] = "python",
    };

    /// <summary>The supported file extensions of source files.</summary>
    public static IEnumerable<string> Kinds => LanguageOfFile.Keys;

    /// <summary>Returns the code cells of a notebook, or a source file as one cell.</summary>
    /// <param name="path">The file.</param>
    /// <param name="language">The default language, if neither the cell nor the notebook names one.</param>
    /// <exception cref="ArgumentException">The file extension is not supported.</exception>
    public static IEnumerable<(string Code, string Language)> Cells(string path, string language)
    {
        var kind = Path.GetExtension(path).ToLowerInvariant();
        if (kind == ".ipynb")
        {
            var notebook = NotebookDocument.Load(path);
            return notebook.Cells.Where(cell => cell.IsRunnable)
                .Select(cell => (cell.Source, cell.Language ?? notebook.Language ?? language));
        }
        if (kind == ".dib") return [(Program(File.ReadAllText(path)), "csharp")];
        return LanguageOfFile.TryGetValue(kind, out var known) ? [(File.ReadAllText(path), known)]
            : throw new ArgumentException(
                $"{path} ends in '{kind}'; expected .ipynb, .dib, {string.Join(", ", LanguageOfFile.Keys)}.");
    }

    /// <summary>Returns the code of a .dib file as one cell, without its metadata and Markdown sections.</summary>
    private static string Program(string dib) => TextSection().Replace(dib.ReplaceLineEndings("\n"), "");

    [GeneratedRegex(@"^#!(meta|markdown)[^\n]*\n.*?(?=^#!(?!markdown|meta)[a-z]|\z)",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex TextSection();
}
