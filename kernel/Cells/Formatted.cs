using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>A value in the mime types in which it wants to be seen, and what failed on the way.</summary>
/// <param name="Data">Text by mime type; the richest first, <c>text/plain</c> always among them.</param>
/// <param name="Error">The first formatter that threw, as an error that can be shown.</param>
internal sealed record Formatted(IReadOnlyDictionary<string, string> Data, ErrorOutput? Error)
{
    private const string Plain = "text/plain";

    /// <summary>Formats with the registered formatters; exactly for <paramref name="mimeTypes"/> where some are given.</summary>
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

    /// <summary>Text that is what its mime type says already.</summary>
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
