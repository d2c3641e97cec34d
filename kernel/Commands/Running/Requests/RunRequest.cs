namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The options of one run.</summary>
/// <param name="Notebook">The .ipynb file.</param>
/// <param name="Parameters">The parameter values as typed, by parameter name.</param>
/// <param name="Fast">
/// Whether to start from the notebook's fast settings, which <paramref name="Parameters"/> override.
/// </param>
/// <param name="Output">The output folder; null for a new one under runs/.</param>
internal sealed record RunRequest(string Notebook, IReadOnlyDictionary<string, string> Parameters, bool Fast, string? Output)
{
    /// <summary>Whether to continue after a failing cell.</summary>
    public bool KeepGoing { get; init; }

    /// <summary>The time limit of each cell; null for none.</summary>
    public TimeSpan? Timeout { get; init; }
}
