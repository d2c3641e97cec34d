using System.Reflection;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>plotly.js, as Plotly.NET carries it, ready to stand inside a page.</summary>
internal static class PlotlyScript
{
    private const string Mime = "application/vnd.plotly.v1+json";

    /// <summary>True when an output of the notebook is a Plotly figure.</summary>
    public static bool IsNeededBy(NotebookDocument notebook) => notebook.Cells
        .SelectMany(cell => cell.Outputs)
        .Any(output => output?["data"]?[Mime] is not null);

    /// <summary>The script's text; empty where Plotly.NET is not at hand.</summary>
    public static string Read()
    {
        if (Find() is not { } assembly) return "";
        var name = assembly.GetManifestResourceNames().FirstOrDefault(
            name => name.Contains("plotly", StringComparison.OrdinalIgnoreCase)
                && name.EndsWith(".min.js", StringComparison.Ordinal));
        if (name is null) return "";
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        // in a script's strings and patterns both spellings mean the same; in HTML only these are safe
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
