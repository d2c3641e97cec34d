using System.Reflection;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>The plotly.js script of Plotly.NET.</summary>
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
        return reader.ReadToEnd();
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
