using System.Globalization;
using System.Text;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Creating;

/// <summary>The template of <c>researchkit new</c>: a small notebook that runs as it is.</summary>
internal static class Template
{
    private const string Resource = "Template.ipynb";

    /// <summary>Returns the template with title, run name and file name filled in.</summary>
    /// <param name="path">The path of the new notebook; its file name becomes the title.</param>
    public static NotebookDocument For(string path)
    {
        using var stream = typeof(Template).Assembly.GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var notebook = NotebookDocument.Parse(reader.ReadToEnd(), Resource);
        var name = Path.GetFileNameWithoutExtension(path);
        foreach (var cell in notebook.Cells)
            cell.Source = cell.Source
                .Replace("{{title}}", Title(name), StringComparison.Ordinal)
                .Replace("{{name}}", Slug(name), StringComparison.Ordinal)
                .Replace("{{file}}", Path.GetFileName(path), StringComparison.Ordinal);
        return notebook;
    }

    /// <summary>Turns a file name into a title: <c>02-what-heads-see</c> becomes "What heads see".</summary>
    private static string Title(string name)
    {
        var words = string.Join(' ', Slug(name).Split('-', StringSplitOptions.RemoveEmptyEntries));
        return words.Length == 0 ? "A study" : char.ToUpper(words[0], CultureInfo.InvariantCulture) + words[1..];
    }

    /// <summary>
    /// Returns the name for the run record: without its leading number, and with hyphens in place of all characters
    /// but letters and digits, so that it is valid as a folder name and in a string literal.
    /// </summary>
    private static string Slug(string name)
    {
        var clean = string.Concat(name.TrimStart("0123456789-_. ".ToCharArray()).Select(c => char.IsLetterOrDigit(c) ? c : '-'))
            .Trim('-');
        return clean.Length == 0 ? "study" : clean;
    }
}
