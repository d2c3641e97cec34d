using System.Globalization;
using System.Text;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Creating;

/// <summary>The notebook that a new study begins as: a small one that runs.</summary>
internal static class Template
{
    private const string Resource = "Template.ipynb";

    /// <summary>The notebook for a file.</summary>
    /// <param name="path">Where it will be; its name becomes the title.</param>
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

    /// <summary>The name without its number, in words: <c>02-what-heads-see</c> to "What heads see".</summary>
    private static string Title(string name)
    {
        var words = string.Join(' ', Slug(name).Split('-', StringSplitOptions.RemoveEmptyEntries));
        return words.Length == 0 ? "A study" : char.ToUpper(words[0], CultureInfo.InvariantCulture) + words[1..];
    }

    /// <summary>The name as the record calls it: no number, and nothing that a folder or a string could stumble over.</summary>
    private static string Slug(string name)
    {
        var clean = string.Concat(name.TrimStart("0123456789-_. ".ToCharArray()).Select(c => char.IsLetterOrDigit(c) ? c : '-'))
            .Trim('-');
        return clean.Length == 0 ? "study" : clean;
    }
}
