using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>What stands at a place of a layered drawing.</summary>
internal enum VertexKind
{
    Node,
    Group,

    /// <summary>An edge's label.</summary>
    Label,

    /// <summary>Where a long edge passes a rank.</summary>
    Bend,

    /// <summary>Where an edge comes in through the upper border of the group.</summary>
    Entry,

    /// <summary>Where an edge leaves through the lower border.</summary>
    Exit,

    /// <summary>The group's title, where edges pass beside it.</summary>
    Title,
}

/// <summary>One thing with a place in a layered drawing; x, y name its centre.</summary>
internal sealed class Vertex(VertexKind kind, double width, double height)
{
    public VertexKind Kind => kind;

    public double Width { get; } = width;

    public double Height { get; } = height;

    public GraphItem? Item { get; init; }

    /// <summary>Room at the right for loops, inside <see cref="Width"/>; the shape itself is that much narrower.</summary>
    public double LoopRoom { get; init; }

    /// <summary>The shape's border around its own centre; empty for what is a point.</summary>
    public IReadOnlyList<Point> Border { get; init; } = [];

    /// <summary>The part of the width that arrows may share.</summary>
    public double ArrowShare { get; init; } = 0.75;

    /// <summary>True for a title that stands at the lower end.</summary>
    public bool IsLast { get; init; }

    public int Rank { get; set; }

    public int Order { get; set; }

    public double X { get; set; }

    public double Y { get; set; }

    /// <summary>The pieces of edges that come from above.</summary>
    public List<Piece> Above { get; } = [];

    /// <summary>The pieces that lead down.</summary>
    public List<Piece> Below { get; } = [];

    public bool IsThin => kind is VertexKind.Bend or VertexKind.Entry or VertexKind.Exit;

    /// <summary>From the vertex' centre to the centre of its shape.</summary>
    public double Shift => -LoopRoom / 2;
}

/// <summary>A piece of an edge, between neighbouring ranks.</summary>
internal sealed class Piece(Vertex from, Vertex to)
{
    public Vertex From => from;

    public Vertex To => to;

    /// <summary>Where it starts, from the centre of its upper vertex.</summary>
    public double FromOffset { get; set; }

    /// <summary>Where it ends, from the centre of its lower vertex.</summary>
    public double ToOffset { get; set; }

    /// <summary>True where the place at the upper vertex is given, such as a way out of a group.</summary>
    public bool IsFromFixed { get; init; }

    public bool IsToFixed { get; init; }

    /// <summary>The room beside its upper end for a text.</summary>
    public double FromRoom { get; init; }

    /// <summary>The room beside its lower end.</summary>
    public double ToRoom { get; init; }

    /// <summary>True where an arrowhead stands at its upper end.</summary>
    public bool HasHeadAbove { get; init; }

    /// <summary>How much it wants to be straight.</summary>
    public double Weight => (from.Item is null, to.Item is null) switch
    {
        (true, true) => 8,
        (false, false) => 1,
        (true, false) => 4,
        _ => 2,
    };
}

/// <summary>An edge of a layered drawing; it leads down.</summary>
internal sealed class LevelEdge(Vertex from, Vertex to, GraphEdge edge, int length)
{
    public Vertex From => from;

    public Vertex To => to;

    public GraphEdge Edge => edge;

    public int Length => length;

    /// <summary>Its vertices from top to bottom, and the pieces between them.</summary>
    public List<Vertex> Chain { get; } = [];

    public List<Piece> Pieces { get; } = [];

    public Vertex? Label { get; init; }

}
