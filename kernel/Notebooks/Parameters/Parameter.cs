namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>A parameter of a notebook.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="Type">The type in the language of the parameters cell, such as <c>int</c> or <c>Precision</c>.</param>
/// <param name="Values">The members of the enum that the type is or contains; empty for other types.</param>
public sealed record Parameter(string Name, string Type, IReadOnlyList<string> Values)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Type})";

    /// <summary>Creates the error for a text that is not a value of the type.</summary>
    internal ArgumentException Refused(string text)
    {
        var article = "aeioAEIO".Contains(Type[0], StringComparison.Ordinal) ? "an" : "a";
        var known = Values.Count > 0 ? $" Known: {string.Join(", ", Values)}." : "";
        return new ArgumentException($"{Name} is {article} {Type}; '{text}' is not one.{known}");
    }
}
