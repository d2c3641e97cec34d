namespace ResearchKit.Kernel.Cells;

/// <summary>The failure of a cell: it did not compile, threw, or named something that does not exist.</summary>
public sealed class CellException : Exception
{
    /// <summary>Creates a failure with a traceback.</summary>
    /// <param name="kind">The error name: the exception's type, or a word such as "CompilationError".</param>
    /// <param name="message">One sentence.</param>
    /// <param name="traceback">The lines of the report that the user reads.</param>
    /// <param name="line">The failing line of the cell, from 1; null if unknown.</param>
    /// <param name="cause">The exception that the cell threw; null if there is none.</param>
    public CellException(string kind, string message, IReadOnlyList<string> traceback, int? line = null, Exception? cause = null)
        : base(message, cause) => (Kind, Traceback, Line) = (kind, traceback, line);

    /// <summary>The error name.</summary>
    public string Kind { get; }

    /// <summary>The lines of the report that the user reads.</summary>
    public IReadOnlyList<string> Traceback { get; }

    /// <summary>The failing line of the cell, from 1; null if unknown.</summary>
    public int? Line { get; }

    /// <summary>Creates a failure whose traceback is only its message.</summary>
    public static CellException Plain(string kind, string message, int? line = null) => new(kind, message, [message], line);
}
