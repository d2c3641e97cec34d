using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>
/// Wraps JavaScript in HTML that runs it in Notebook 6, JupyterLab, VS Code and exported pages.
/// </summary>
/// <remarks>
/// All of these run a script element of a trusted output, while they differ in how they treat
/// <c>application/javascript</c>.
/// </remarks>
internal static class ScriptHtml
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    public static string Of(string code)
    {
        var id = $"{CellScript.IdStart}{Guid.NewGuid():N}";
        // also escapes "<", so the code cannot close the script element
        var text = JsonSerializer.Serialize(code, Options);
        return $"<div id=\"{id}\"></div>\n<script type=\"text/javascript\">\n{CellScript.Runner}(\"{id}\", {text});\n</script>";
    }
}
