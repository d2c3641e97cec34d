using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Flowcharts;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Classes;

/// <summary>Parses a class diagram, after the keyword <c>classDiagram</c>.</summary>
internal sealed partial class ClassParser
{
    private readonly MermaidReader reader;
    private readonly Graph graph = new();
    private readonly Dictionary<GraphNode, ClassBox> boxes = [];
    private GraphGroup? space;
    private int notes;

    private ClassParser(MermaidReader reader) => this.reader = reader;

    private GraphGroup Here => space ?? graph.Root;

    public static Graph Read(MermaidReader reader) => new ClassParser(reader).Read();

    private Graph Read()
    {
        reader.EndStatement();
        for (reader.SkipBlank(); !reader.IsAtEnd; reader.SkipBlank())
        {
            Statement();
            if (reader.Current != '}') reader.EndStatement("a relation such as \"<|--\", \":\" or the end of the line");
        }
        if (space is not null) throw reader.Expected($"\"}}\" for the namespace \"{space.Id}\"");
        foreach (var (node, box) in boxes) box.Fill(node);
        return graph.Finished(reader);
    }

    private void Statement()
    {
        var start = reader.Position;
        if (reader.Take("}"))
        {
            if (space is null) throw reader.Refused("found \"}\" without an open namespace.", start);
            space = null;
        }
        else if (reader.TakeKeyword("class")) Class();
        else if (reader.TakeKeyword("namespace")) Namespace();
        else if (reader.TakeKeyword("note")) Note(start);
        else if (reader.TakeKeyword("direction"))
            graph.Root.Direction = FlowchartParser.TakeDirection(reader)
                ?? throw reader.Expected("a direction: TB, BT, LR or RL");
        else if (reader.Take(Annotation()) is { } kind)
        {
            reader.SkipSpaces();
            Box(Named()).Annotations.Add(kind.Groups[1].Value.Trim());
        }
        else if (reader.TakeKeyword("link") || reader.TakeKeyword("callback")) _ = reader.TakeLine();
        else if (reader.TakeKeyword("cssClass"))
        {
            var names = reader.Take("\"") ? reader.TakeUntil("\"").Split(',')
                : throw reader.Expected("the classes' names in quotes");
            reader.SkipSpaces();
            var name = reader.TakeName("a style's name");
            foreach (var id in names) graph.NodeOf(id.Trim(), Here, reader, start).Classes.Add(name);
        }
        else if (!reader.TakeCommon() && !StyleStatements.Take(reader, graph)) Relation(start);
    }

    [GeneratedRegex(@"\G<<([^<>\n]+)>>")]
    private static partial Regex Annotation();

    [GeneratedRegex(@"\G(<\||\*|o|<|\(\))?(--|\.\.)(\|>|\*|o|>|\(\))?")]
    private static partial Regex Arrow();

    private void Namespace()
    {
        var at = reader.Position;
        if (space is not null) throw reader.Refused("found a namespace inside another one; they cannot be nested.", at);
        space = graph.GroupOf(reader.TakeName("a namespace's name"), graph.Root, reader, at);
        reader.SkipSpaces();
        if (!reader.Take("{")) throw reader.Expected("\"{\"");
    }

    private void Class()
    {
        var node = Named();
        if (reader.Take("["))
        {
            Box(node).Name = reader.TakeUntil("]").Trim().Trim('"');
        }
        if (reader.Take(":::")) node.Classes.Add(reader.TakeName("a style's name"));
        reader.SkipSpaces();
        if (reader.Take(Annotation()) is { } kind) Box(node).Annotations.Add(kind.Groups[1].Value.Trim());
        reader.SkipSpaces();
        if (!reader.Take("{")) return;
        while (true)
        {
            reader.SkipBlank();
            if (reader.IsAtEnd) throw reader.Expected($"\"}}\" for the class \"{node.Id}\"");
            if (reader.Take("}")) return;
            if (reader.Take(Annotation()) is { } inner) Box(node).Annotations.Add(inner.Groups[1].Value.Trim());
            else Member(node);
        }
    }

    private void Member(GraphNode node)
    {
        var line = reader.TakeLine();
        if (line.EndsWith('}') && !line.Contains('{', StringComparison.Ordinal))
        {
            reader.Position--;
            while (reader.Current != '}') reader.Position--;
            line = line[..^1].Trim();
        }
        if (line.Length > 0) Box(node).Add(line);
    }

    private GraphNode Named()
    {
        reader.SkipSpaces();
        var at = reader.Position;
        var id = reader.Take("`") ? reader.TakeUntil("`") : reader.TakeName("a class's name");
        if (graph.NodeOf(id, Here, reader, at) is not GraphNode node)
            throw reader.Refused($"\"{id}\" is a namespace; expected a class.", at);
        node.Shape = NodeShape.Class;
        var box = Box(node);
        if (reader.Take("~")) box.Name = $"{id}<{reader.TakeUntil("~")}>";
        return node;
    }

    private ClassBox Box(GraphNode node) => boxes.TryGetValue(node, out var box) ? box : boxes[node] = new ClassBox(node.Id);

    private void Relation(int start)
    {
        var from = Named();
        reader.SkipSpaces();
        if (reader.Take(":::"))
        {
            from.Classes.Add(reader.TakeName("a style's name"));
            return;
        }
        if (reader.Take(":"))
        {
            Box(from).Add(reader.TakeLine());
            return;
        }
        var startText = Quoted();
        if (reader.Take(Arrow()) is not { } arrow)
        {
            if (startText is not null) throw reader.Expected("a relation such as \"<|--\"");
            return;
        }
        var endText = Quoted();
        var to = Named();
        reader.SkipSpaces();
        var label = reader.Take(":") ? TextBlock.Of(reader.TakeLine(), TextBlock.Small) : null;
        graph.Add(new GraphEdge(from, to)
        {
            Line = arrow.Groups[2].Value == ".." ? EdgeLine.Dotted : EdgeLine.Solid,
            StartHead = Head(arrow.Groups[1].Value),
            EndHead = Head(arrow.Groups[3].Value),
            StartText = startText,
            EndText = endText,
            Label = label is { IsEmpty: false } ? label : null,
            At = start,
        }, reader);
    }

    private TextBlock? Quoted()
    {
        reader.SkipSpaces();
        if (!reader.Take("\"")) return null;
        var text = TextBlock.Of(reader.TakeUntil("\""), TextBlock.Small);
        reader.SkipSpaces();
        return text.IsEmpty ? null : text;
    }

    private static EdgeHead Head(string mark) => mark switch
    {
        "<|" or "|>" => EdgeHead.Triangle,
        "*" => EdgeHead.Diamond,
        "o" => EdgeHead.HollowDiamond,
        "<" or ">" => EdgeHead.Open,
        "()" => EdgeHead.Circle,
        _ => EdgeHead.None,
    };

    private void Note(int start)
    {
        var target = reader.TakeKeyword("for") ? Named() : null;
        reader.SkipSpaces();
        if (!reader.Take("\"")) throw reader.Expected("the note's text in quotes");
        var note = (GraphNode)graph.NodeOf($"note {++notes}", Here, reader, start);
        (note.Shape, note.Label) = (NodeShape.Note, TextBlock.Of(reader.TakeUntil("\"", mayBreak: true), TextBlock.Small));
        if (target is not null) graph.Add(new GraphEdge(note, target) { Line = EdgeLine.Dotted, At = start }, reader);
    }
}
