using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>A value formatted in its preferred mime types, and the first formatting error.</summary>
/// <param name="Data">The text by mime type, richest first; usually with <c>text/plain</c>.</param>
/// <param name="Error">The error of the first formatter that threw; null if none did.</param>
internal sealed record Formatted(IReadOnlyDictionary<string, string> Data, ErrorOutput? Error)
{
    private const string Plain = "text/plain";

    /// <summary>
    /// Formats a value with the registered formatters, in <paramref name="mimeTypes"/> if any are given, else in the preferred
    /// types and as plain text. A formatter that throws is skipped and its error returned; if none succeeds, the text is the
    /// name of the type.
    /// </summary>
    public static Formatted Of(object? value, IReadOnlyList<string> mimeTypes)
    {
        var data = new OrderedDictionary<string, string>();
        ErrorOutput? error = null;
        foreach (var mime in mimeTypes.Count > 0 ? mimeTypes : Preferred(value))
        {
            if (data.ContainsKey(mime)) continue;
            try
            {
                data[mime] = value.ToDisplayString(mime);
            }
            catch (Exception thrown) when (thrown is not OperationCanceledException)
            {
                error ??= Failed(value, mime, thrown);
            }
        }
        if (data.Count == 0) data[Plain] = value?.GetType().FullName ?? "null";
        return new Formatted(data, error);
    }

    /// <summary>Returns text that already is in a mime type.</summary>
    public static Formatted Raw(string text, string mime) => new(new OrderedDictionary<string, string> { [mime] = text }, null);

    private static IEnumerable<string> Preferred(object? value) =>
        Formatter.GetPreferredMimeTypesFor(value?.GetType()).Append(Plain);

    private static ErrorOutput Failed(object? value, string mime, Exception thrown)
    {
        var cause = thrown is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : thrown;
        var message = $"The {mime} formatter of {value?.GetType().FullName ?? "null"} failed: {cause.GetType().Name}: "
            + $"{cause.Message}";
        return new ErrorOutput("FormatterError", message, [message]);
    }
}
