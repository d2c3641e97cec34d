namespace ResearchKit.Kernel.Cells;

/// <summary>Something a running cell gives, in Jupyter's kinds.</summary>
public abstract record Output;

/// <summary>Text written to the console.</summary>
/// <param name="Name"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="Text">The text, as written.</param>
public sealed record StreamOutput(string Name, string Text) : Output;

/// <summary>A shown value.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="DisplayId">Names the display, so that it can be updated.</param>
public sealed record DisplayOutput(IReadOnlyDictionary<string, string> Data, string DisplayId) : Output;

/// <summary>A new state of an earlier display; it replaces the old one.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="DisplayId">The display to replace, of this cell or an earlier one.</param>
public sealed record UpdateOutput(IReadOnlyDictionary<string, string> Data, string DisplayId) : Output;

/// <summary>The value of a cell's last expression.</summary>
/// <param name="Data">The value by mime type; the richest first.</param>
/// <param name="Count">The cell's execution count.</param>
public sealed record ResultOutput(IReadOnlyDictionary<string, string> Data, int Count) : Output;

/// <summary>What went wrong.</summary>
/// <param name="Name">In one word, such as the exception's type.</param>
/// <param name="Message">In one sentence.</param>
/// <param name="Traceback">What a person reads, line by line.</param>
/// <param name="Line">The cell's line, from 1, where it is known.</param>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback, int? Line = null) : Output;

/// <summary>Takes away what the cell has shown so far.</summary>
/// <param name="Wait">Only when the next output comes, so that nothing flickers.</param>
public sealed record ClearOutput(bool Wait) : Output;
