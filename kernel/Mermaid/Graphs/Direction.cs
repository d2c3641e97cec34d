namespace ResearchKit.Mermaid.Graphs;

/// <summary>The direction in which the arrows of a diagram point.</summary>
internal enum Direction
{
    Down,
    Up,
    Right,
    Left,
}
