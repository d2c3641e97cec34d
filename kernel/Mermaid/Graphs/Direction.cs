namespace ResearchKit.Mermaid.Graphs;

/// <summary>Where the arrows of a diagram lead.</summary>
internal enum Direction
{
    Down,
    Up,
    Right,
    Left,
}
