using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Flowcharts;

/// <summary>Parses a flowchart, after the keyword <c>graph</c> or <c>flowchart</c>.</summary>
internal sealed class FlowchartParser
{
    private readonly MermaidReader reader;
    private readonly Graph graph = new();
    private readonly Stack<(GraphGroup Group, int At)> open = new();
    private int unnamed;

    private FlowchartParser(MermaidReader reader) => this.reader = reader;

    private GraphGroup Here => open.Count > 0 ? open.Peek().Group : graph.Root;

    public static Graph Read(MermaidReader reader) => new FlowchartParser(reader).Read();

    /// <summary>Parses a direction such as <c>TD</c> or <c>LR</c>; returns null if there is none.</summary>
    public static Direction? TakeDirection(MermaidReader reader)
    {
        if (reader.TakeKeyword("TB") || reader.TakeKeyword("TD") || reader.Take("v ")) return Direction.Down;
        if (reader.TakeKeyword("BT")) return Direction.Up;
        if (reader.TakeKeyword("LR")) return Direction.Right;
        return reader.TakeKeyword("RL") ? Direction.Left : null;
    }

    private Graph Read()
    {
        reader.SkipSpaces();
        if (!reader.IsAtLineEnd && reader.Current != ';')
            graph.Root.Direction = TakeDirection(reader) ?? throw reader.Expected("a direction: TB, TD, BT, LR or RL");
        reader.EndStatement();
        for (reader.SkipBlank(); !reader.IsAtEnd; reader.SkipBlank())
        {
            Statement();
            reader.EndStatement("an arrow such as \"-->\", \"&\", or the end of the line");
        }
        if (open.Count > 0) throw reader.Expected($"\"end\" for the subgraph \"{open.Peek().Group.Label.Spoken}\"");
        return graph.Finished(reader);
    }

    private void Statement()
    {
        var start = reader.Position;
        if (reader.TakeKeyword("subgraph")) Subgraph(start);
        else if (reader.TakeKeyword("end"))
        {
            if (!open.TryPop(out _)) throw reader.Refused("found \"end\" without a \"subgraph\" before it.", start);
        }
        else if (reader.TakeKeyword("direction"))
            Here.Direction = TakeDirection(reader) ?? throw reader.Expected("a direction: TB, TD, BT, LR or RL");
        else if (!reader.TakeCommon() && !StyleStatements.Take(reader, graph)) Chain();
    }

    private void Subgraph(int start)
    {
        var at = reader.Position;
        if (reader.Take("\""))
        {
            Open(graph.GroupOf($"subgraph {++unnamed}", Here, reader, start), reader.TakeUntil("\""), start);
            return;
        }
        var line = reader.TakeLine().TrimEnd(';');
        if (line.Length == 0)
        {
            Open(graph.GroupOf($"subgraph {++unnamed}", Here, reader, start), "", start);
            return;
        }
        reader.Position = at;
        var bracket = line.IndexOf('[', StringComparison.Ordinal);
        var id = (bracket > 0 ? line[..bracket] : line).Trim();
        reader.Position = at + (bracket > 0 ? bracket : line.Length);
        var group = graph.GroupOf(id, Here, reader, at);
        Open(group, id, start);
        if (bracket > 0) FlowchartShapes.Read(reader, group);
    }

    private void Open(GraphGroup group, string label, int start)
    {
        if (group.Label.Spoken == group.Id) group.Label = TextBlock.Of(label);
        open.Push((group, start));
    }

    private void Chain()
    {
        var from = Nodes();
        while (true)
        {
            reader.SkipSpaces();
            var at = reader.Position;
            if (FlowchartLinks.Read(reader) is not { } link) return;
            SkipToTarget();
            var to = Nodes();
            foreach (var a in from)
                foreach (var b in to) graph.Add(link.Between(a, b) with { At = at }, reader);
            from = to;
        }
    }

    private void SkipToTarget()
    {
        reader.SkipSpaces();
        while (reader.Current == '\n')
        {
            reader.Position++;
            reader.SkipSpaces();
        }
    }

    private List<GraphItem> Nodes()
    {
        var nodes = new List<GraphItem> { Node() };
        while (true)
        {
            reader.SkipSpaces();
            if (!reader.Take("&")) return nodes;
            SkipToTarget();
            nodes.Add(Node());
        }
    }

    private GraphItem Node()
    {
        var at = reader.Position;
        var item = graph.NodeOf(reader.TakeName("a node's name"), Here, reader, at);
        if (Here is { } group && (item == group || group.Around.Contains(item)))
            throw reader.Refused($"The subgraph \"{item.Id}\" cannot be a node inside itself.", at);
        FlowchartShapes.Read(reader, item);
        if (reader.Take(":::")) item.Classes.Add(reader.TakeName("a class's name"));
        return item;
    }
}
