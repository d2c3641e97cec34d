namespace ResearchKit.Kernel.Cells;

/// <summary>A cell that did not compile, threw, or asked for something that is not there.</summary>
public sealed class CellException : Exception
{
    /// <summary>A failure with its traceback.</summary>
    /// <param name="kind">What went wrong in one word: the exception's type, or "CompilationError".</param>
    /// <param name="message">One sentence.</param>
    /// <param name="traceback">What a person reads, line by line.</param>
    /// <param name="line">The cell's line, from 1, where it is known.</param>
    /// <param name="cause">What the cell threw.</param>
    public CellException(string kind, string message, IReadOnlyList<string> traceback, int? line = null, Exception? cause = null)
        : base(message, cause) => (Kind, Traceback, Line) = (kind, traceback, line);

    /// <summary>What went wrong in one word.</summary>
    public string Kind { get; }

    /// <summary>What a person reads, line by line.</summary>
    public IReadOnlyList<string> Traceback { get; }

    /// <summary>The cell's line, from 1, where it is known.</summary>
    public int? Line { get; }

    /// <summary>A failure that needs no more than its sentence.</summary>
    public static CellException Plain(string kind, string message, int? line = null) => new(kind, message, [message], line);
}
