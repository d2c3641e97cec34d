namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Runs the code of a JavaScript cell in a page, as the body of an async function: it may use <c>await</c> and
/// <c>return</c>, and its variables are local. It can use <c>element</c> (an element below the cell), <c>console</c> (which
/// also writes below the cell) and <c>notebookScope</c> (an object that all cells share).
/// </summary>
internal static class CellScript
{
    /// <summary>The start of the ids of the elements below JavaScript cells.</summary>
    public const string IdStart = "rk-js-";

    /// <summary>A JavaScript function of the id of the element, and of the code as text or as a function.</summary>
    public const string Runner =
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
            const run = typeof code === "function" ? code
              : Object.getPrototypeOf(async function () {}).constructor("element", "console", "notebookScope", code);
            const value = await run(element, console, notebookScope);
            if (value !== undefined) write([value], false);
          } catch (problem) {
            page.error(problem);
            write([problem], true);
          }
        })
        """;
}
