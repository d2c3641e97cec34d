using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>The kinds of vertices in a layered drawing.</summary>
internal enum VertexKind
{
    Node,
    Group,

    /// <summary>The label of an edge.</summary>
    Label,

    /// <summary>A point where a long edge passes through a rank.</summary>
    Bend,

    /// <summary>A point where an edge enters through the upper border of the group.</summary>
    Entry,

    /// <summary>A point where an edge leaves through the lower border of the group.</summary>
    Exit,

    /// <summary>The title of the group, if edges pass beside it.</summary>
    Title,
}

/// <summary>A vertex of a layered drawing; X and Y are its center.</summary>
internal sealed class Vertex(VertexKind kind, double width, double height)
{
    public VertexKind Kind => kind;

    public double Width { get; } = width;

    public double Height { get; } = height;

    public GraphItem? Item { get; init; }

    /// <summary>
    /// The part of <see cref="Width"/> reserved for loops at the right; the shape itself is narrower by this
    /// amount.
    /// </summary>
    public double LoopRoom { get; init; }

    /// <summary>
    /// The border of the shape, relative to the shape's center; empty for all vertices but nodes.
    /// </summary>
    public IReadOnlyList<Point> Border { get; init; } = [];

    /// <summary>The fraction of the width within which arrows may end.</summary>
    public double ArrowShare { get; init; } = 0.75;

    /// <summary>True for a title in the last rank.</summary>
    public bool IsLast { get; init; }

    public int Rank { get; set; }

    public int Order { get; set; }

    public double X { get; set; }

    public double Y { get; set; }

    /// <summary>The pieces of edges from the rank above.</summary>
    public List<Piece> Above { get; } = [];

    /// <summary>The pieces of edges to the rank below.</summary>
    public List<Piece> Below { get; } = [];

    public bool IsThin => kind is VertexKind.Bend or VertexKind.Entry or VertexKind.Exit;

    /// <summary>The x offset from the vertex's center to the center of its shape.</summary>
    public double Shift => -LoopRoom / 2;
}

/// <summary>A piece of an edge between two adjacent ranks.</summary>
internal sealed class Piece(Vertex from, Vertex to)
{
    public Vertex From => from;

    public Vertex To => to;

    /// <summary>The x offset of its start from the center of the upper vertex.</summary>
    public double FromOffset { get; set; }

    /// <summary>The x offset of its end from the center of the lower vertex.</summary>
    public double ToOffset { get; set; }

    /// <summary>True if <see cref="FromOffset"/> is fixed, such as where the edge leaves a group.</summary>
    public bool IsFromFixed { get; init; }

    public bool IsToFixed { get; init; }

    /// <summary>The width reserved for a text beside its upper end.</summary>
    public double FromRoom { get; init; }

    /// <summary>The width reserved for a text beside its lower end.</summary>
    public double ToRoom { get; init; }

    /// <summary>True if there is an arrowhead at its upper end.</summary>
    public bool HasHeadAbove { get; init; }

    /// <summary>The weight of keeping this piece vertical.</summary>
    public double Weight => (from.Item is null, to.Item is null) switch
    {
        (true, true) => 8,
        (false, false) => 1,
        (true, false) => 4,
        _ => 2,
    };
}

/// <summary>An edge of a layered drawing; it points down.</summary>
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
