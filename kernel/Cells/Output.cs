namespace ResearchKit.Kernel.Cells;

/// <summary>An output of a cell; the subclasses are Jupyter's output types.</summary>
public abstract record Output;

/// <summary>Text written to the console.</summary>
/// <param name="Name"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="Text">The text as written.</param>
public sealed record StreamOutput(string Name, string Text) : Output;

/// <summary>A displayed value.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="DisplayId">The id of the display, for updates.</param>
public sealed record DisplayOutput(IReadOnlyDictionary<string, string> Data, string DisplayId) : Output;

/// <summary>A new value for an earlier display.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="DisplayId">The display to replace, of this cell or an earlier one.</param>
public sealed record UpdateOutput(IReadOnlyDictionary<string, string> Data, string DisplayId) : Output;

/// <summary>The value of a cell's last expression.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="Count">The cell's execution count.</param>
public sealed record ResultOutput(IReadOnlyDictionary<string, string> Data, int Count) : Output;

/// <summary>An error.</summary>
/// <param name="Name">The error name, such as the exception's type.</param>
/// <param name="Message">The error message.</param>
/// <param name="Traceback">The lines of the report that the user reads.</param>
/// <param name="Line">The failing line of the cell, from 1; null if unknown.</param>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback, int? Line = null) : Output;

/// <summary>Clears the outputs of the cell.</summary>
/// <param name="Wait">Whether to wait until the next output arrives, which avoids flickering.</param>
public sealed record ClearOutput(bool Wait) : Output;
