namespace ResearchKit.Data;

/// <summary>A message of a chat.</summary>
/// <param name="Role">Who says it: usually system, user, assistant or tool.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>
    /// What else the template reads, such as <c>tool_calls</c>: values as in JSON, that is text, numbers, true or false, null,
    /// lists, dictionaries or JSON itself.
    /// </summary>
    public IReadOnlyDictionary<string, object?> Other { get; init; } = new Dictionary<string, object?>();
}
