namespace ResearchKit.Kernel.Languages;

/// <summary>
/// Editor services for the code of a cell: completion, inspection and a check for completeness. None of them
/// runs the code.
/// </summary>
public interface ICodeServices
{
    /// <summary>Returns completions at a position in the code.</summary>
    /// <param name="code">A cell's text.</param>
    /// <param name="position">The position, in UTF-16 units from the start.</param>
    /// <param name="cancellation">Cancels the request.</param>
    Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation);

    /// <summary>Returns signature and documentation of the symbol at a position; null if there is none.</summary>
    /// <inheritdoc cref="CompleteAsync"/>
    Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation);

    /// <summary>Returns whether a console should run the code or wait for more lines.</summary>
    CodeCompleteness IsComplete(string code);
}

/// <summary>Completions for a range of the code.</summary>
/// <param name="Start">The start of the range that a completion replaces, in UTF-16 units.</param>
/// <param name="End">The end of the range.</param>
/// <param name="Items">The completions, best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<CompletionItem> Items);

/// <summary>One completion.</summary>
/// <param name="Text">The text to insert.</param>
/// <param name="Kind">
/// The kind of symbol in Jupyter's terms: function, class, instance, keyword, module, property, …
/// </param>
/// <param name="Signature">Parameters or type; empty if there is nothing to add to the name.</param>
public sealed record CompletionItem(string Text, string Kind, string Signature = "");

/// <summary>Signature and documentation of a symbol.</summary>
/// <param name="Text">Signature and documentation as plain text.</param>
/// <param name="Markdown">The same as Markdown.</param>
public sealed record Inspection(string Text, string Markdown);

/// <summary>Whether code is complete.</summary>
public enum CodeStatus
{
    /// <summary>The code can be run.</summary>
    Complete,

    /// <summary>Something is not closed, such as a brace.</summary>
    Incomplete,

    /// <summary>The code has an error that more lines cannot repair.</summary>
    Invalid,
}

/// <summary>Whether code is complete, and the indentation of its next line.</summary>
/// <param name="Status">Whether the code is complete.</param>
/// <param name="Indent">The indentation of the next line if the code is incomplete.</param>
public sealed record CodeCompleteness(CodeStatus Status, string Indent = "");
