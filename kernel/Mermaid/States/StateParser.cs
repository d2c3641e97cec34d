using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Flowcharts;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.States;

/// <summary>Parses a state diagram, after the keyword <c>stateDiagram</c> or <c>stateDiagram-v2</c>.</summary>
internal sealed partial class StateParser
{
    private readonly MermaidReader reader;
    private readonly Graph graph = new();
    private readonly Stack<GraphGroup> open = new();
    private readonly List<(string State, string Text, int At)> notes = [];
    private int unnamed;

    private StateParser(MermaidReader reader) => this.reader = reader;

    private GraphGroup Here => open.Count > 0 ? open.Peek() : graph.Root;

    public static Graph Read(MermaidReader reader) => new StateParser(reader).Read();

    private Graph Read()
    {
        reader.EndStatement();
        for (reader.SkipBlank(); !reader.IsAtEnd; reader.SkipBlank())
        {
            Statement();
            if (reader.Current != '}') reader.EndStatement("\"-->\", \":\" or the end of the line");
        }
        if (open.Count > 0) throw reader.Expected($"\"}}\" for the state \"{open.Peek().Id}\"");
        foreach (var note in notes) AddNote(note.State, note.Text, note.At);
        return graph.Finished(reader);
    }

    private void Statement()
    {
        var start = reader.Position;
        if (reader.Take("}"))
        {
            if (!open.TryPop(out var closed)) throw reader.Refused("found \"}\" without an open state.", start);
            if (closed.Id.StartsWith("region ", StringComparison.Ordinal)) open.Pop();
        }
        else if (reader.TakeKeyword("direction"))
            Here.Direction = FlowchartParser.TakeDirection(reader) ?? throw reader.Expected("a direction: TB, BT, LR or RL");
        else if (reader.TakeKeyword("state")) State();
        else if (reader.TakeKeyword("note")) Note(start);
        else if (reader.Take("--")) Region(start);
        else if (reader.TakeKeyword("hide")) _ = reader.TakeLine();
        else if (!reader.TakeCommon() && !StyleStatements.Take(reader, graph)) Transition();
    }

    [GeneratedRegex(@"\G<<(\w+)>>")]
    private static partial Regex Stereotype();

    [GeneratedRegex(@"\Gend[ \t]+note\b", RegexOptions.IgnoreCase)]
    private static partial Regex NoteEnd();

    private void State()
    {
        string? label = null;
        if (reader.Take("\""))
        {
            label = reader.TakeUntil("\"");
            reader.SkipSpaces();
            if (!reader.TakeKeyword("as")) throw reader.Expected("\"as\" and the state's name");
        }
        var at = reader.Position;
        var id = reader.TakeName("a state's name");
        reader.SkipSpaces();
        if (reader.Take("{"))
        {
            var group = graph.GroupOf(id, Here, reader, at);
            group.IsRound = true;
            if (label is not null) group.Label = TextBlock.Of(label);
            open.Push(group);
            return;
        }
        var item = Named(id, at);
        if (label is not null) item.Label = TextBlock.Of(label);
        if (item is not GraphNode node) return;
        if (reader.Take(Stereotype()) is { } kind) node.Shape = OfStereotype(kind.Groups[1].Value, node, kind.Index);
        else Describe(item);
    }

    private NodeShape OfStereotype(string kind, GraphNode node, int at)
    {
        if (kind == "choice") node.Label = new TextBlock([]);
        return kind switch
        {
            "choice" => NodeShape.Rhombus,
            "fork" or "join" => NodeShape.Bar,
            "start" => NodeShape.Start,
            "end" => NodeShape.End,
            _ => throw reader.Refused($"found <<{kind}>>; expected <<choice>>, <<fork>> or <<join>>.", at),
        };
    }

    private void Transition()
    {
        var at = reader.Position;
        var from = Item(isSource: true);
        if (Describe(from)) return;
        reader.SkipSpaces();
        if (!reader.Take("-->")) return;
        reader.SkipSpaces();
        var to = Item(isSource: false);
        reader.SkipSpaces();
        var label = reader.Take(":") ? TextBlock.Of(reader.TakeLine(), TextBlock.Small) : null;
        if (label is { IsEmpty: true }) label = null;
        graph.Add(new GraphEdge(from, to) { EndHead = EdgeHead.Arrow, Label = label, At = at }, reader);
    }

    private bool Describe(GraphItem item)
    {
        reader.SkipSpaces();
        if (reader.Starts(":::") || !reader.Take(":")) return false;
        item.Label = TextBlock.Of(reader.TakeLine());
        return true;
    }

    private GraphItem Item(bool isSource)
    {
        var at = reader.Position;
        if (reader.Take("[*]"))
        {
            var point = (GraphNode)graph.NodeOf($"{(isSource ? "start" : "end")} of {Here.Id}", Here, reader, at);
            (point.Shape, point.Label) = (isSource ? NodeShape.Start : NodeShape.End, new TextBlock([]));
            return point;
        }
        var item = Named(reader.TakeName("a state's name or [*]"), at);
        if (reader.Take(":::")) item.Classes.Add(reader.TakeName("a class's name"));
        return item;
    }

    private GraphItem Named(string id, int at)
    {
        var item = graph.NodeOf(id, Here, reader, at);
        if (item is GraphNode { Shape: NodeShape.Rectangle } node) node.Shape = NodeShape.Round;
        return item;
    }

    /// <summary>Parses a concurrent region, which becomes a group without a name.</summary>
    private void Region(int start)
    {
        if (open.Count == 0)
            throw reader.Refused("found \"--\" outside of a state; it separates the regions of a state.", start);
        if (Here.Id.StartsWith("region ", StringComparison.Ordinal)) open.Pop();
        else MoveIntoRegion(Here, start);
        open.Push(NewRegion(Here, start));
    }

    private GraphGroup NewRegion(GraphGroup parent, int at)
    {
        var region = graph.GroupOf($"region {++unnamed}", parent, reader, at);
        region.Label = new TextBlock([]);
        return region;
    }

    private void MoveIntoRegion(GraphGroup state, int at)
    {
        var region = NewRegion(state, at);
        foreach (var item in state.Items.Where(item => item != region).ToList())
        {
            state.Items.Remove(item);
            region.Items.Add(item);
            item.Parent = region;
        }
    }

    private void Note(int start)
    {
        var side = reader.Position;
        if (!reader.TakeKeyword("right") && !reader.TakeKeyword("left"))
            throw reader.Expected("\"right of\" or \"left of\"", side);
        if (!reader.TakeKeyword("of")) throw reader.Expected("\"of\" and a state's name");
        var state = reader.TakeName("a state's name");
        reader.SkipSpaces();
        if (reader.Take(":"))
        {
            notes.Add((state, reader.TakeLine(), start));
            return;
        }
        var lines = new List<string>();
        while (!reader.IsAtEnd)
        {
            reader.SkipBlank();
            if (reader.Take(NoteEnd()) is not null)
            {
                notes.Add((state, string.Join('\n', lines), start));
                return;
            }
            lines.Add(reader.TakeLine());
        }
        throw reader.Expected("\"end note\"");
    }

    private void AddNote(string state, string text, int at)
    {
        if (graph.Find(state) is not { } item) throw reader.Refused($"found a note for \"{state}\"; there is no such state.", at);
        var note = (GraphNode)graph.NodeOf($"note {++unnamed}", item.Parent!, reader, at);
        (note.Shape, note.Label) = (NodeShape.Note, TextBlock.Of(text, TextBlock.Small));
        graph.Add(new GraphEdge(item, note) { Line = EdgeLine.Dotted, At = at }, reader);
    }
}
