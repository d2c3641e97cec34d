using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>What an edge can lead to: a node or a group of them.</summary>
internal abstract class GraphItem(string id, GraphGroup? parent)
{
    public string Id => id;

    /// <summary>The group that it lies in; null for the whole diagram.</summary>
    public GraphGroup? Parent { get; set; } = parent;

    public TextBlock Label { get; set; } = TextBlock.Of(id);

    public List<string> Classes { get; } = [];

    public Paint Paint { get; set; } = new();

    /// <summary>The groups around it, the innermost first.</summary>
    public IEnumerable<GraphGroup> Around
    {
        get
        {
            for (var group = Parent; group is not null; group = group.Parent) yield return group;
        }
    }
}

/// <summary>One node.</summary>
internal sealed class GraphNode(string id, GraphGroup? parent) : GraphItem(id, parent)
{
    public NodeShape Shape { get; set; }

    /// <summary>A class's attributes and operations below its name; empty for other nodes.</summary>
    public List<TextBlock> Compartments { get; } = [];
}

/// <summary>A part of the diagram with a frame around it.</summary>
internal sealed class GraphGroup(string id, GraphGroup? parent) : GraphItem(id, parent)
{
    public List<GraphItem> Items { get; } = [];

    /// <summary>Its own direction; null for that of what is around it.</summary>
    public Direction? Direction { get; set; }

    /// <summary>Groups of states with round corners.</summary>
    public bool IsRound { get; set; }

    public int Depth => Around.Count();
}
