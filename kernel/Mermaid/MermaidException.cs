namespace ResearchKit.Mermaid;

/// <summary>A text that is not a diagram, or a diagram that is too large to draw.</summary>
public sealed class MermaidException : Exception
{
    internal MermaidException(string kind, string message, IReadOnlyList<string> excerpt, int? line = null)
        : base(message)
    {
        Kind = kind;
        Excerpt = excerpt;
        Line = line;
    }

    /// <summary>The kind of error in one word: <c>MermaidSyntaxError</c> or <c>MermaidTooLarge</c>.</summary>
    public string Kind { get; }

    /// <summary>The message and, where the place is known, the line of the source and a caret below the column.</summary>
    public IReadOnlyList<string> Excerpt { get; }

    /// <summary>The line of the source, from 1; null where the error has no place.</summary>
    public int? Line { get; }
}
