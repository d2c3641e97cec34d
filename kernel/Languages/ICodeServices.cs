namespace ResearchKit.Kernel.Languages;

/// <summary>What an editor asks about code that is being written. Nothing of it runs the code.</summary>
public interface ICodeServices
{
    /// <summary>What could stand at a place of the code.</summary>
    /// <param name="code">A cell's text.</param>
    /// <param name="position">The place, in UTF-16 units from the start.</param>
    /// <param name="cancellation">Gives up.</param>
    Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation);

    /// <summary>What stands at a place: its signature and its documentation; null where nothing is known.</summary>
    /// <inheritdoc cref="CompleteAsync"/>
    Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation);

    /// <summary>Whether a console should run the code or let its user go on writing.</summary>
    CodeCompleteness IsComplete(string code);
}

/// <summary>What could replace a stretch of code.</summary>
/// <param name="Start">Where the stretch starts, in UTF-16 units.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Items">The best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<CompletionItem> Items);

/// <summary>One thing that could stand there.</summary>
/// <param name="Text">What is inserted.</param>
/// <param name="Kind">Jupyter's word for it: function, class, instance, keyword, module, property, …</param>
/// <param name="Signature">Parameters or type, where there is more to say than its name.</param>
public sealed record CompletionItem(string Text, string Kind, string Signature = "");

/// <summary>What is known about a name.</summary>
/// <param name="Text">Signature and documentation as plain text.</param>
/// <param name="Markdown">The same as Markdown.</param>
public sealed record Inspection(string Text, string Markdown);

/// <summary>Whether code can be run as it stands.</summary>
public enum CodeStatus
{
    /// <summary>It can.</summary>
    Complete,

    /// <summary>Something is still open, such as a brace.</summary>
    Incomplete,

    /// <summary>It cannot, whatever follows.</summary>
    Invalid,
}

/// <summary>Whether code can be run, and how its next line would begin.</summary>
/// <param name="Status">Whether it can.</param>
/// <param name="Indent">White space for the next line of incomplete code.</param>
public sealed record CodeCompleteness(CodeStatus Status, string Indent = "");
