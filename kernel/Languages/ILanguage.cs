using ResearchKit.Kernel.Cells;


namespace ResearchKit.Kernel.Languages;

/// <summary>
/// A language that cells can be written in, with the state that its cells share in one session.
/// </summary>
public interface ILanguage
{
    /// <summary>The name of the language, which follows <c>#!</c> in cells, such as <c>csharp</c>.</summary>
    string Name { get; }

    /// <summary>Other names of the language after <c>#!</c>.</summary>
    IReadOnlyList<string> Aliases => [];

    /// <summary>Runs a cell, or a part of a cell that is in this language.</summary>
    /// <exception cref="CellException">The code did not compile, or threw.</exception>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    Task<CellValue> RunAsync(string code, CellContext context);

    /// <summary>The editor services of the language; null if it has none.</summary>
    ICodeServices? Services => null;

    /// <summary>Describes an uncaught native exception that stopped the thread of the running cell.</summary>
    CellException Refused(NativeError met, string cell) => CellException.Plain("NativeError", met.Message);
}

/// <summary>What the session gives to a language to run a cell.</summary>
/// <param name="Name">The name of the cell in error messages, such as <c>cell 3</c>.</param>
/// <param name="Note">Receives notes for the user, such as that another version of a package is used.</param>
/// <param name="Cancellation">
/// Cancels compilation and package restore; the cell's code can read it as its own token.
/// </param>
public sealed record CellContext(string Name, Action<string> Note, CancellationToken Cancellation)
{
    /// <summary>The text of the whole cell, for error messages that show a line.</summary>
    public string? Source { get; init; }

    /// <summary>Whether the code is a whole file that the cell imports.</summary>
    public bool IsFile { get; init; }

    /// <summary>The text after the language's name on the <c>#!</c> line.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>
    /// Loads the kit, its native libraries and its formatters, once per session. Await it before code that may use
    /// them.
    /// </summary>
    public Func<Task> Kit { get; init; } = () => Task.CompletedTask;

    /// <summary>
    /// Runs the <c>extension.dib</c> of a package that the cell references. Its exceptions are reported and do not
    /// fail the cell.
    /// </summary>
    public Func<string, Task> RunExtension { get; init; } = _ => Task.CompletedTask;

    /// <summary>
    /// Runs the cell's code to its end on the cell thread, where an interrupt can wake it from a wait.
    /// </summary>
    public required Func<Func<Task<object?>>, object?> Run { get; init; }
}
