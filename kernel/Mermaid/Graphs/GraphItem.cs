using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>An item that edges can connect: a node or a group of nodes.</summary>
internal abstract class GraphItem(string id, GraphGroup? parent)
{
    public string Id => id;

    /// <summary>The group that contains it; null for the root group.</summary>
    public GraphGroup? Parent { get; set; } = parent;

    public TextBlock Label { get; set; } = TextBlock.Of(id);

    public List<string> Classes { get; } = [];

    public Paint Paint { get; set; } = new();

    /// <summary>The groups that contain it, innermost first.</summary>
    public IEnumerable<GraphGroup> Around
    {
        get
        {
            for (var group = Parent; group is not null; group = group.Parent) yield return group;
        }
    }
}

/// <summary>A node.</summary>
internal sealed class GraphNode(string id, GraphGroup? parent) : GraphItem(id, parent)
{
    public NodeShape Shape { get; set; }

    /// <summary>The attributes and operations of a class; empty for other nodes.</summary>
    public List<TextBlock> Compartments { get; } = [];
}

/// <summary>A group of items with a frame, such as a subgraph.</summary>
internal sealed class GraphGroup(string id, GraphGroup? parent) : GraphItem(id, parent)
{
    public List<GraphItem> Items { get; } = [];

    /// <summary>Its own direction; null for that of the group that contains it.</summary>
    public Direction? Direction { get; set; }

    /// <summary>True for round corners, as in state diagrams.</summary>
    public bool IsRound { get; set; }

    public int Depth => Around.Count();
}
