namespace ResearchKit.Mermaid.Drawing;

/// <summary>
/// The style of diagrams. All colors are derived from the page's text color, so that they fit light and dark
/// pages.
/// </summary>
/// <remarks>
/// A page can change the colors by setting <c>--rk-mermaid-node</c>, <c>-group</c>, <c>-note</c> and
/// <c>-line</c>.
/// </remarks>
internal static class MermaidStyle
{
    public const string Font = "\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,\"Noto Sans\",\"Liberation Sans\","
        + "\"DejaVu Sans\",sans-serif";

    // The first declaration of each pair is for browsers without color-mix().
    public const string Css =
        ".rk-mermaid{color:var(--jp-content-font-color1,var(--vscode-editor-foreground,inherit));"
        + "overflow-x:auto;max-width:100%;padding:4px 0;"
        + "--node:var(--rk-mermaid-node,#6366f1);--group:var(--rk-mermaid-group,currentColor);"
        + "--note:var(--rk-mermaid-note,#d69e2e);--line:var(--rk-mermaid-line,currentColor)}"
        + ".rk-mermaid svg{display:block;max-width:100%;height:auto;font-family:" + Font + "}"
        + ".rk-mermaid text{stroke:none;white-space:pre}"
        + ".rk-mermaid .node{fill:#6366f124;fill:color-mix(in srgb,var(--node) 15%,transparent);stroke:#6366f1;"
        + "stroke:color-mix(in srgb,var(--node) 75%,currentColor);stroke-width:1.4px}"
        + ".rk-mermaid .inner{fill:none}.rk-mermaid .dot{fill:currentColor;stroke:currentColor}"
        + ".rk-mermaid .ring{fill:none;stroke:currentColor}"
        + ".rk-mermaid .group{fill:#8080800f;fill:color-mix(in srgb,var(--group) 4%,transparent);stroke:#808080;"
        + "stroke:color-mix(in srgb,var(--group) 35%,transparent);stroke-width:1px}"
        + ".rk-mermaid .note{fill:#d69e2e2e;fill:color-mix(in srgb,var(--note) 20%,transparent);stroke:#d69e2e;"
        + "stroke:color-mix(in srgb,var(--note) 75%,currentColor);stroke-width:1px}"
        + ".rk-mermaid .edge{stroke:currentColor;stroke:color-mix(in srgb,var(--line) 70%,transparent);"
        + "stroke-width:1.5px;fill:none}"
        + ".rk-mermaid .thick{stroke-width:3px}.rk-mermaid .dotted{stroke-dasharray:3 4}.rk-mermaid .dashed{stroke-dasharray:6 4}"
        + ".rk-mermaid .head{stroke-dasharray:none;stroke-width:1.5px;stroke-linejoin:round}"
        + ".rk-mermaid .full{fill:currentColor;fill:color-mix(in srgb,var(--line) 70%,transparent);stroke:none}"
        + ".rk-mermaid .faint{stroke:currentColor;stroke:color-mix(in srgb,currentColor 35%,transparent);stroke-width:1px}"
        + ".rk-mermaid .soft{opacity:.75}";
}
