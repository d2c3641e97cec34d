namespace ResearchKit.Mermaid.Graphs;

/// <summary>The shape of a node.</summary>
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

    /// <summary>A note: a sheet with a folded corner.</summary>
    Note,

    /// <summary>A class with its members.</summary>
    Class,

    /// <summary>The initial state of a state machine: a filled dot.</summary>
    Start,

    /// <summary>The final state: a dot in a ring.</summary>
    End,

    /// <summary>A fork or a join of a state machine.</summary>
    Bar,
}
