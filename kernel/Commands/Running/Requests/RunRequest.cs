namespace ResearchKit.Kernel.Commands.Running;

/// <summary>What a run was asked to do.</summary>
/// <param name="Notebook">The .ipynb file.</param>
/// <param name="Parameters">Values as typed, by name.</param>
/// <param name="Fast">Whether the notebook's own fast settings come first.</param>
/// <param name="Output">The folder to write to; null for one of its own under runs/.</param>
internal sealed record RunRequest(string Notebook, IReadOnlyDictionary<string, string> Parameters, bool Fast, string? Output)
{
    /// <summary>Whether the cells after a failing one run too.</summary>
    public bool KeepGoing { get; init; }

    /// <summary>The longest that one cell may take; null for as long as it likes.</summary>
    public TimeSpan? Timeout { get; init; }
}
