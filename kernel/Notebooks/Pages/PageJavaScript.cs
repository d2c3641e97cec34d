using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// Runs the JavaScript cells of a notebook in its page. Their code comes from the cells and never from outputs: an output only
/// says which code ran, and whose values were shared.
/// </summary>
internal sealed partial class PageJavaScript(PageScripts scripts)
{
    private int count;

    /// <summary>Returns what stands in the page for the output of a JavaScript cell; null for other outputs.</summary>
    /// <param name="html">The HTML of the output.</param>
    /// <param name="cell">The cell.</param>
    public string? Element(string html, NotebookCell cell)
    {
        if (SharedValue().Match(html) is { Success: true } shared && Json(shared.Groups[2].Value) is { } value)
            return scripts.Element($"globalThis[\"{shared.Groups[1].Value}\"] = {value.ToJsonString()};");
        if (CellCode().Match(html) is not { Success: true } ran) return null;
        if (Json(ran.Groups[1].Value) is not JsonValue text || !text.TryGetValue<string>(out var code)) return null;
        if (!Parts(cell).Contains(code.Trim())) return null;
        var id = $"{CellScript.IdStart}{++count}";
        return $"<div id=\"{id}\"></div>\n" + scripts.Element(
            $"\n{CellScript.Runner}(\"{id}\", async function (element, console, notebookScope) {{\n{code}\n}});\n");
    }

    /// <summary>The JavaScript code of a cell, one text for each part in JavaScript.</summary>
    private static List<string> Parts(NotebookCell cell)
    {
        var parts = new List<string>();
        var lines = cell.Source.ReplaceLineEndings("\n").Split('\n');
        var isScript = cell.Language is "javascript" or "js";
        var start = 0;
        for (var i = 0; i <= lines.Length; i++)
        {
            if (i < lines.Length && !lines[i].StartsWith("#!", StringComparison.Ordinal)) continue;
            if (isScript) parts.Add(string.Join('\n', lines[start..i]).Trim());
            start = i + 1;
            if (i < lines.Length && FirstLine().IsMatch(lines[i])) isScript = true;
            else if (i < lines.Length && !lines[i].StartsWith("#!share", StringComparison.Ordinal)) isScript = false;
        }
        return parts;
    }

    private static JsonNode? Json(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^#!(?:javascript|js)\b", RegexOptions.IgnoreCase)]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"\A\s*<script type=""text/javascript"">globalThis\[""([A-Za-z_$][\w$]*)""\] = (.*);</script>\s*\z",
        RegexOptions.Singleline)]
    private static partial Regex SharedValue();

    [GeneratedRegex(@"\A<div id=""rk-js-[^""]*""></div>\s*<script[^>]*>.*\(""rk-js-[^""]*"", (""(?:[^""\\]|\\.)*"")\);\s*"
        + @"</script>\s*\z", RegexOptions.Singleline)]
    private static partial Regex CellCode();
}
