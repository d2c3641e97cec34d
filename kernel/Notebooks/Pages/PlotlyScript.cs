using System.Reflection;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>The plotly.js script of Plotly.NET, escaped for embedding in a page.</summary>
internal static class PlotlyScript
{
    private const string Mime = "application/vnd.plotly.v1+json";

    /// <summary>Returns whether an output of the notebook is a Plotly figure.</summary>
    public static bool IsNeededBy(NotebookDocument notebook) => notebook.Cells
        .SelectMany(cell => cell.Outputs)
        .Any(output => output?["data"]?[Mime] is not null);

    /// <summary>Returns the text of the script; empty if Plotly.NET is not available.</summary>
    public static string Read()
    {
        if (Find() is not { } assembly) return "";
        var name = assembly.GetManifestResourceNames().FirstOrDefault(
            name => name.Contains("plotly", StringComparison.OrdinalIgnoreCase)
                && name.EndsWith(".min.js", StringComparison.Ordinal));
        if (name is null) return "";
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        // these spellings mean the same in JavaScript strings and regular expressions, and are safe in HTML
        return reader.ReadToEnd()
            .Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase)
            .Replace("<!--", "\\x3C!--", StringComparison.Ordinal);
    }

    private static Assembly? Find()
    {
        try
        {
            return Assembly.Load("Plotly.NET");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
