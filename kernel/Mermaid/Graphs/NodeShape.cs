namespace ResearchKit.Mermaid.Graphs;

/// <summary>How a node is drawn.</summary>
internal enum NodeShape
{
    Rectangle,
    Round,
    Stadium,
    Subroutine,
    Cylinder,
    Circle,
    DoubleCircle,
    Ellipse,
    Rhombus,
    Hexagon,
    Flag,
    LeanRight,
    LeanLeft,
    Trapezoid,
    TrapezoidUpsideDown,

    /// <summary>A sheet with a folded corner, for notes.</summary>
    Note,

    /// <summary>A class with its members.</summary>
    Class,

    /// <summary>Where a state machine begins: a filled dot.</summary>
    Start,

    /// <summary>Where it ends: a dot in a ring.</summary>
    End,

    /// <summary>A fork or a join of a state machine.</summary>
    Bar,
}
