using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Classes;
using ResearchKit.Mermaid.Drawing;
using ResearchKit.Mermaid.Flowcharts;
using ResearchKit.Mermaid.Pies;
using ResearchKit.Mermaid.Reading;
using ResearchKit.Mermaid.Sequences;
using ResearchKit.Mermaid.States;

namespace ResearchKit.Mermaid;

/// <summary>Draws a diagram in the notation of Mermaid (https://mermaid.js.org).</summary>
public static partial class MermaidDiagram
{
    /// <summary>The mime type of the source, which JupyterLab can render itself.</summary>
    public const string Mime = "text/vnd.mermaid";

    private static readonly string[] Elsewhere =
    [
        "erDiagram", "gantt", "journey", "gitGraph", "mindmap", "timeline", "quadrantChart", "requirementDiagram", "C4Context",
        "C4Container", "C4Component", "C4Dynamic", "C4Deployment", "sankey", "xychart", "block", "packet", "architecture",
        "kanban",
        "radar", "treemap", "zenuml", "info",
    ];

    /// <summary>Parses and draws a diagram.</summary>
    /// <param name="source">The text of the diagram.</param>
    /// <returns>
    /// HTML with an inline SVG drawing. Diagrams of a kind that is not drawn here are shown as their escaped source.
    /// </returns>
    /// <exception cref="MermaidException">The text is not a diagram, or the diagram is too large.</exception>
    public static string Html(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var reader = new MermaidReader(source);
        reader.SkipBlank();
        var start = reader.Position;
        var kind = reader.Take(Word())?.Value ?? "";
        switch (kind)
        {
            case "graph" or "flowchart" or "flowchart-elk":
                return GraphDrawing.Html(FlowchartParser.Read(reader), "Flowchart", reader);
            case "stateDiagram" or "stateDiagram-v2": return GraphDrawing.Html(StateParser.Read(reader), "State diagram", reader);
            case "classDiagram" or "classDiagram-v2": return GraphDrawing.Html(ClassParser.Read(reader), "Class diagram", reader);
            case "sequenceDiagram": return SequenceDrawing.Html(SequenceParser.Read(reader), reader);
            case "pie": return PieChart.Html(reader);
        }
        if (Elsewhere.Contains(kind.EndsWith("-beta", StringComparison.Ordinal) ? kind[..^5] : kind)) return Source(source, kind);
        throw reader.Expected("a kind of diagram: flowchart, sequenceDiagram, classDiagram, stateDiagram-v2 or pie", start);
    }

    /// <summary>Returns the HTML for a kind of diagram that is not supported: its source.</summary>
    private static string Source(string source, string kind) =>
        $"<div class=\"rk-mermaid\"><p>This kernel does not draw diagrams of the kind {Escape.Html(kind)}; here is the "
            + $"source.</p><pre>{Escape.Html(source.Trim('\r', '\n'))}</pre></div>";

    [GeneratedRegex(@"\G[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")]
    private static partial Regex Word();
}
