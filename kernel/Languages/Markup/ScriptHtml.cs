using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>
/// Wraps JavaScript in HTML that runs it in Notebook 6, JupyterLab, VS Code and exported pages.
/// </summary>
/// <remarks>
/// All of these run a script element of a trusted output, while they differ in how they treat
/// <c>application/javascript</c>. The code is the body of an async function, as in .NET Interactive: it may use
/// <c>await</c> and <c>return</c>, and its variables are local. It can use <c>element</c> (an element below the
/// cell),
/// <c>console</c> (which also writes below the cell) and <c>notebookScope</c> (an object that all cells share).
/// </remarks>
internal static class ScriptHtml
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    public static string Of(string code)
    {
        var id = $"rk-js-{Guid.NewGuid():N}";
        // also escapes "<", so the code cannot close the script element
        var text = JsonSerializer.Serialize(code, Options);
        return $"<div id=\"{id}\"></div>\n<script type=\"text/javascript\">\n{Runner}(\"{id}\", {text});\n</script>";
    }

    private const string Runner =
        """
        (async function (id, code) {
          const element = document.getElementById(id);
          const write = (values, isError) => {
            if (!element) return;
            const line = document.createElement("pre");
            line.style.margin = "0";
            line.style.whiteSpace = "pre-wrap";
            if (isError) {
              line.setAttribute("role", "alert");
              line.style.borderLeft = "4px solid #d6455d";
              line.style.paddingLeft = "8px";
            }
            line.textContent = values.map(value => {
              if (typeof value === "string") return value;
              if (value instanceof Error) return String(value.stack || value);
              try {
                const text = JSON.stringify(value, null, 2);
                return text === undefined ? String(value) : text;
              } catch (problem) { return String(value); }
            }).join(" ");
            element.appendChild(line);
          };
          const page = window.console;
          const console = Object.create(page);
          for (const name of ["log", "info", "debug", "warn", "error"])
            console[name] = (...values) => { page[name](...values); write(values, name === "error"); };
          const notebookScope = window.notebookScope = window.notebookScope || {};
          try {
            const run = Object.getPrototypeOf(async function () {}).constructor("element", "console", "notebookScope", code);
            const value = await run(element, console, notebookScope);
            if (value !== undefined) write([value], false);
          } catch (problem) {
            page.error(problem);
            write([problem], true);
          }
        })
        """;
}
