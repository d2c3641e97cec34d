using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>How the line of an edge is drawn.</summary>
internal enum EdgeLine
{
    Solid,
    Dotted,
    Thick,

    /// <summary>Not drawn; the edge only affects the layout.</summary>
    Invisible,
}

/// <summary>The arrowhead at an end of an edge.</summary>
internal enum EdgeHead
{
    None,
    Arrow,
    Circle,
    Cross,

    /// <summary>An open arrowhead of two strokes.</summary>
    Open,

    /// <summary>A hollow triangle: inheritance.</summary>
    Triangle,

    /// <summary>A filled diamond: composition.</summary>
    Diamond,

    /// <summary>A hollow diamond: aggregation.</summary>
    HollowDiamond,
}

/// <summary>An edge between two items.</summary>
internal sealed record GraphEdge(GraphItem From, GraphItem To)
{
    public EdgeLine Line { get; init; }

    public EdgeHead StartHead { get; init; }

    public EdgeHead EndHead { get; init; }

    public TextBlock? Label { get; init; }

    /// <summary>The text at its start, such as a multiplicity.</summary>
    public TextBlock? StartText { get; init; }

    /// <summary>The text at its end.</summary>
    public TextBlock? EndText { get; init; }

    /// <summary>The minimum number of ranks that it spans.</summary>
    public int Length { get; init; } = 1;

    /// <summary>Its position in the diagram's text.</summary>
    public int At { get; init; }

    /// <summary>
    /// Edges are compared by reference: two edges with equal properties are still different edges.
    /// </summary>
    public bool Equals(GraphEdge? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
