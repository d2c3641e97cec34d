using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>How the line of an edge is drawn.</summary>
internal enum EdgeLine
{
    Solid,
    Dotted,
    Thick,

    /// <summary>Not at all; it only keeps its ends in order.</summary>
    Invisible,
}

/// <summary>What stands at an end of an edge.</summary>
internal enum EdgeHead
{
    None,
    Arrow,
    Circle,
    Cross,

    /// <summary>An arrow of two strokes.</summary>
    Open,

    /// <summary>A hollow triangle: inheritance.</summary>
    Triangle,

    /// <summary>A filled diamond: composition.</summary>
    Diamond,

    /// <summary>A hollow diamond: aggregation.</summary>
    HollowDiamond,
}

/// <summary>A line between two items.</summary>
internal sealed record GraphEdge(GraphItem From, GraphItem To)
{
    public EdgeLine Line { get; init; }

    public EdgeHead StartHead { get; init; }

    public EdgeHead EndHead { get; init; }

    public TextBlock? Label { get; init; }

    /// <summary>What stands beside its start, such as a number of objects.</summary>
    public TextBlock? StartText { get; init; }

    /// <summary>What stands beside its end.</summary>
    public TextBlock? EndText { get; init; }

    /// <summary>Over how many ranks it leads at least.</summary>
    public int Length { get; init; } = 1;

    /// <summary>Where it stands in the text.</summary>
    public int At { get; init; }

    /// <summary>Each edge is one of its own, however alike two are.</summary>
    public bool Equals(GraphEdge? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
