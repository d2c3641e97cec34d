using ResearchKit.Kernel.Cells;


namespace ResearchKit.Kernel.Languages;

/// <summary>One language that cells can be written in, with the state that its cells share.</summary>
public interface ILanguage
{
    /// <summary>The name after <c>#!</c>, such as <c>csharp</c>.</summary>
    string Name { get; }

    /// <summary>Other names after <c>#!</c>.</summary>
    IReadOnlyList<string> Aliases => [];

    /// <summary>Runs a cell, or the part of one that is in this language.</summary>
    /// <exception cref="CellException">It did not compile, or it threw.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    Task<CellValue> RunAsync(string code, CellContext context);

    /// <summary>Answers what editors ask about its cells; null where it cannot.</summary>
    ICodeServices? Services => null;

    /// <summary>Describes an error of a native library that ended the thread of the running cell.</summary>
    CellException Refused(NativeError met, string cell) => CellException.Plain("NativeError", met.Message);
}

/// <summary>What a running cell gets from its session.</summary>
/// <param name="Name">What errors call the cell, such as <c>cell 3</c>.</param>
/// <param name="Note">Takes lines that the reader should know, such as a package version that differs.</param>
/// <param name="Cancellation">Stops compiling and restoring; the cell's own code sees it as its token.</param>
public sealed record CellContext(string Name, Action<string> Note, CancellationToken Cancellation)
{
    /// <summary>The whole cell, of which the code is a part; for errors that show a line.</summary>
    public string? Source { get; init; }

    /// <summary>What stands behind the language's name on the line that chose it.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>
    /// Loads the kit, its native libraries and how its values look, once; code that could use them waits for it.
    /// </summary>
    public Func<Task> Kit { get; init; } = () => Task.CompletedTask;

    /// <summary>
    /// Runs the <c>extension.dib</c> of a package that the cell asked for; what it throws is told, and harms nothing.
    /// </summary>
    public Func<string, Task> RunExtension { get; init; } = _ => Task.CompletedTask;

    /// <summary>
    /// Runs a person's code on the cells' own thread to its end, so that it can be woken from what it waits for.
    /// </summary>
    public required Func<Func<Task<object?>>, object?> Run { get; init; }
}
