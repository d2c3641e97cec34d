using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Flowcharts;

/// <summary>The properties of an arrow, without the nodes that it connects.</summary>
internal sealed record FlowchartLink(EdgeLine Line, EdgeHead Start, EdgeHead End, int Length, TextBlock? Label)
{
    public GraphEdge Between(GraphItem from, GraphItem to) =>
        new(from, to) { Line = Line, StartHead = Start, EndHead = End, Length = Length, Label = Label };
}

/// <summary>Parses the arrows of flowcharts.</summary>
internal static partial class FlowchartLinks
{
    private const int Longest = 8;

    /// <summary>Parses an arrow at the current position; returns null if there is none.</summary>
    public static FlowchartLink? Read(MermaidReader reader)
    {
        if (reader.Take(Whole()) is { } whole) return Of(whole.Groups[1].Value, whole.Groups[2].Value, LabelAfter(reader));
        if (reader.Take(Opening()) is not { } opening) return null;
        var (tail, line) = (opening.Groups[1].Value, opening.Groups[2].Value);
        var closing = line switch { "--" => SolidEnd(), "==" => ThickEnd(), _ => DottedEnd() };
        if (reader.Take(closing) is not { } end)
        {
            _ = reader.TakeLine();
            throw reader.Expected(line switch
            {
                "--" => "the arrow's end, such as \"-->\"",
                "==" => "the arrow's end, such as \"==>\"",
                _ => "the arrow's end, such as \".->\"",
            });
        }
        var text = end.Groups[1].Value.Trim();
        return Of(tail, end.Groups[2].Value, Label(text.Length > 1 && text[0] == '"' && text[^1] == '"' ? text[1..^1] : text));
    }

    // As in mermaid, "A---oB" is a circle at the end and "A--text-->B" a labelled arrow.
    [GeneratedRegex(@"\G([xo<]?)(--+[-xo>]|==+[=xo>]|-?\.+-[xo>]?|~~~+)")]
    private static partial Regex Whole();

    [GeneratedRegex(@"\G([xo<]?)(--|==|-\.)")]
    private static partial Regex Opening();

    [GeneratedRegex(@"\G((?:""[^""\n]*""|[^-\n]|-(?!-))+)(--+[-xo>])")]
    private static partial Regex SolidEnd();

    [GeneratedRegex(@"\G((?:""[^""\n]*""|[^=\n]|=(?!=))+)(==+[=xo>])")]
    private static partial Regex ThickEnd();

    [GeneratedRegex(@"\G((?:""[^""\n]*""|[^.\n]|\.(?![.-]))+)(\.+-[xo>]?)")]
    private static partial Regex DottedEnd();

    private static FlowchartLink Of(string tail, string body, TextBlock? label)
    {
        var end = Head(body[^1]);
        var line = body[0] switch
        {
            '=' => EdgeLine.Thick,
            '~' => EdgeLine.Invisible,
            _ => body.Contains('.', StringComparison.Ordinal) ? EdgeLine.Dotted : EdgeLine.Solid,
        };
        var length = line == EdgeLine.Dotted ? body.Count(c => c == '.') : body.Length - 2;
        return new FlowchartLink(line, tail.Length > 0 ? Head(tail[0]) : EdgeHead.None, end, Math.Clamp(length, 1, Longest),
            label);
    }

    private static EdgeHead Head(char mark) => mark switch
    {
        '>' or '<' => EdgeHead.Arrow,
        'o' => EdgeHead.Circle,
        'x' => EdgeHead.Cross,
        _ => EdgeHead.None,
    };

    private static TextBlock? LabelAfter(MermaidReader reader)
    {
        var before = reader.Position;
        reader.SkipSpaces();
        if (!reader.Take("|"))
        {
            reader.Position = before;
            return null;
        }
        reader.SkipSpaces();
        if (!reader.Take("\"")) return Label(reader.TakeUntil("|"));
        var text = reader.TakeUntil("\"", mayBreak: true);
        reader.SkipSpaces();
        return reader.Take("|") ? Label(text) : throw reader.Expected("\"|\"");
    }

    private static TextBlock? Label(string text) =>
        TextBlock.Of(text, TextBlock.Small) is { IsEmpty: false } label ? label : null;
}
