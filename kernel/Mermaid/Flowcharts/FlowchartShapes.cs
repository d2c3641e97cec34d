using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Flowcharts;

/// <summary>The brackets around a node's label and the shapes they stand for.</summary>
internal static class FlowchartShapes
{
    /// <summary>Ordered so that a bracket comes before shorter ones with the same beginning.</summary>
    public static readonly (string Open, string[] Close, NodeShape[] Shape)[] Brackets =
    [
        ("(((", [")))"], [NodeShape.DoubleCircle]),
        ("((", ["))"], [NodeShape.Circle]),
        ("([", ["])"], [NodeShape.Stadium]),
        ("(-", ["-)"], [NodeShape.Ellipse]),
        ("(", [")"], [NodeShape.Round]),
        ("[[", ["]]"], [NodeShape.Subroutine]),
        ("[(", [")]"], [NodeShape.Cylinder]),
        ("[/", ["/]", "\\]"], [NodeShape.LeanRight, NodeShape.Trapezoid]),
        ("[\\", ["\\]", "/]"], [NodeShape.LeanLeft, NodeShape.TrapezoidUpsideDown]),
        ("[", ["]"], [NodeShape.Rectangle]),
        ("{{", ["}}"], [NodeShape.Hexagon]),
        ("{", ["}"], [NodeShape.Rhombus]),
        (">", ["]"], [NodeShape.Flag]),
    ];

    private static readonly Dictionary<string, NodeShape> Names = new (NodeShape Shape, string[] Names)[]
    {
        (NodeShape.Rectangle, ["rect", "proc", "process", "rectangle"]),
        (NodeShape.Round, ["rounded", "event"]),
        (NodeShape.Stadium, ["stadium", "terminal", "pill"]),
        (NodeShape.Subroutine, ["fr-rect", "subproc", "subroutine"]),
        (NodeShape.Cylinder, ["cyl", "db", "database", "cylinder"]),
        (NodeShape.Circle, ["circle", "circ"]),
        (NodeShape.DoubleCircle, ["dbl-circ"]),
        (NodeShape.Rhombus, ["diam", "diamond", "decision", "question"]),
        (NodeShape.Hexagon, ["hex", "hexagon", "prepare"]),
        (NodeShape.Flag, ["odd"]),
        (NodeShape.LeanRight, ["lean-r", "in-out"]),
        (NodeShape.LeanLeft, ["lean-l", "out-in"]),
        (NodeShape.Trapezoid, ["trap-b"]),
        (NodeShape.TrapezoidUpsideDown, ["trap-t"]),
        (NodeShape.Note, ["notch-rect", "card", "doc"]),
    }.SelectMany(pair => pair.Names.Select(name => (name, pair.Shape)))
        .ToDictionary(pair => pair.name, pair => pair.Shape, StringComparer.OrdinalIgnoreCase);

    /// <summary>Parses the brackets after a node's name, if there are any.</summary>
    public static void Read(MermaidReader reader, GraphItem item)
    {
        if (reader.Take("@{"))
        {
            ReadNamed(reader, item);
            return;
        }
        foreach (var (open, close, shapes) in Brackets)
        {
            if (!reader.Take(open)) continue;
            var (label, closed) = ReadLabel(reader, close);
            item.Label = TextBlock.Of(label);
            if (item is GraphNode node) node.Shape = shapes[closed];
            return;
        }
    }

    /// <summary>
    /// Parses a label up to one of the closing brackets; returns the label and the index of that bracket.
    /// </summary>
    private static (string Label, int Closed) ReadLabel(MermaidReader reader, string[] close)
    {
        reader.SkipSpaces();
        if (reader.Take("\""))
        {
            var quoted = reader.TakeUntil("\"", mayBreak: true);
            reader.SkipSpaces();
            var at = Array.FindIndex(close, reader.Take);
            return at >= 0 ? (quoted, at) : throw reader.Expected(Either(close));
        }
        var start = reader.Position;
        var label = new System.Text.StringBuilder();
        while (!reader.IsAtLineEnd)
        {
            var at = Array.FindIndex(close, reader.Take);
            if (at >= 0 && label.ToString().Trim().Length == 0)
                throw reader.Refused("A label cannot be empty; write \" \" for an empty one.", start);
            if (at >= 0) return (label.ToString(), at);
            label.Append(reader.Current);
            reader.Position++;
        }
        throw reader.Expected(Either(close));
    }

    private static void ReadNamed(MermaidReader reader, GraphItem item)
    {
        var start = reader.Position;
        foreach (var part in System.Text.RegularExpressions.Regex.Matches(
            reader.TakeUntil("}", mayBreak: true),
            """(\w+)\s*:\s*(?:"([^"]*)"|([^,\n]+))""").Cast<System.Text.RegularExpressions.Match>())
        {
            var value = part.Groups[2].Success ? part.Groups[2].Value : part.Groups[3].Value.Trim();
            if (part.Groups[1].Value == "label") item.Label = TextBlock.Of(value);
            if (part.Groups[1].Value != "shape" || item is not GraphNode node) continue;
            node.Shape = Names.TryGetValue(value, out var shape) ? shape : throw reader.Refused(
                $"found the shape \"{value}\"; expected one of {string.Join(", ", Names.Keys)}.", start + part.Groups[3].Index);
        }
    }

    private static string Either(string[] close) => string.Join(" or ", close.Select(mark => $"\"{mark}\""));
}
