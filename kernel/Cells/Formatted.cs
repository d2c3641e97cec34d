using System.Reflection;
using System.Text.Json;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>A value formatted in its preferred mime types, and what the user should know about it.</summary>
/// <param name="Data">The text by mime type, richest first; usually with <c>text/plain</c>.</param>
/// <param name="Note">
/// A message of a formatter that threw; an error if the value could not be formatted in any mime type that the cell asked for.
/// </param>
internal sealed record Formatted(IReadOnlyDictionary<string, string> Data, Output? Note)
{
    private const string Plain = "text/plain";

    /// <summary>
    /// Formats a value with the registered formatters, in <paramref name="mimeTypes"/> if any are given, else in the preferred
    /// types and as plain text. A formatter that throws is skipped. A value that nests too deeply is shortened.
    /// </summary>
    public static Formatted Of(object? value, IReadOnlyList<string> mimeTypes)
    {
        if (mimeTypes.Count == 0 && JsonText.Of(value) is { } json) return new Formatted(json, null);
        NestedFormatters.Install();
        var isDeep = DeepValues.Has(value);
        var data = new OrderedDictionary<string, string>();
        string? failure = null;
        foreach (var mime in mimeTypes.Count > 0 ? mimeTypes : Preferred(value))
        {
            if (data.ContainsKey(mime)) continue;
            if (isDeep && Short(value, mime) is { } bounded)
            {
                data[mime] = bounded;
                continue;
            }
            Exception? cause = null;
            try
            {
                data[mime] = BoundedWriter.Format(value, mime);
            }
            catch (Exception thrown) when (Cause(thrown) is not OperationCanceledException)
            {
                cause = Cause(thrown);   // handled below, where the stack is no longer deep
            }
            if (cause is null) continue;
            var isTooDeep = cause is FormatLimitException or InsufficientExecutionStackException or JsonException;
            if (isTooDeep && Short(value, mime) is { } text) data[mime] = text;
            else failure ??= Failed(value, mime, cause);
        }
        if (data.Count > 0) return new Formatted(data, failure is null ? null : new StreamOutput("stderr", $"{failure}\n"));
        data[Plain] = BoundedText.Of(value);
        return new Formatted(data, mimeTypes.Count == 0 ? new StreamOutput("stderr", $"{failure}\n")
            : new ErrorOutput("FormatterError", failure!, [failure!]));
    }

    /// <summary>Returns text that already is in a mime type.</summary>
    public static Formatted Raw(string text, string mime) => new(new OrderedDictionary<string, string> { [mime] = text }, null);

    /// <summary>Returns what was thrown, without the exceptions that reflection puts around it.</summary>
    public static Exception Cause(Exception thrown)
    {
        while (thrown is TargetInvocationException { InnerException: { } inner }) thrown = inner;
        return thrown;
    }

    private static IEnumerable<string> Preferred(object? value) =>
        Formatter.GetPreferredMimeTypesFor(value?.GetType()).Append(Plain);

    /// <summary>A short text of a value that nests too deeply; null for mime types other than text, HTML and JSON.</summary>
    private static string? Short(object? value, string mime) => mime switch
    {
        Plain => BoundedText.Of(value),
        HtmlFormatter.MimeType => $"<div class=\"dni-plaintext\"><pre>{Escape.Html(BoundedText.Of(value))}</pre></div>",
        JsonFormatter.MimeType => JsonSerializer.Serialize(BoundedText.Of(value)),
        _ => null,
    };

    private static string Failed(object? value, string mime, Exception cause) =>
        $"The {mime} formatter of {value?.GetType().FullName ?? "null"} failed: {cause.GetType().Name}: {cause.Message}";
}
