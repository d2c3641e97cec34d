namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>A parameter of a notebook.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="Type">The type in C#, such as <c>int</c> or <c>Precision</c>.</param>
/// <param name="Values">The members of an enum type; empty for other types.</param>
public sealed record Parameter(string Name, string Type, IReadOnlyList<string> Values)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Type})";
}
