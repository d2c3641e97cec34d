namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>A value that a notebook lets its caller choose.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="Type">Its type as C# spells it, such as <c>int</c> or <c>Precision</c>.</param>
/// <param name="Values">The names that an enumeration allows; empty for other types.</param>
public sealed record Parameter(string Name, string Type, IReadOnlyList<string> Values)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Type})";
}
