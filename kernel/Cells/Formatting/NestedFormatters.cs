using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Formatters that also see the values inside other values: they print F# values as F# does, shorten exceptions of getters, and
/// bound formatters that write to a writer of their own.
/// </summary>
/// <remarks>
/// They are default formatters of general types, and come before the package's own one. Formatters that a notebook or a
/// package registers come before them. The package has no public list of its default formatters, so this class reads the field.
/// </remarks>
internal static class NestedFormatters
{
    private const string Summary = "text/plain+summary";
    private static readonly FieldInfo? Field =
        typeof(Formatter).GetField("_defaultTypeFormatters", BindingFlags.Static | BindingFlags.NonPublic);
    private static readonly ITypeFormatter[] All =
    [
        new ForAny(PlainTextFormatter.MimeType), new ForAny(HtmlFormatter.MimeType), new ForAny(Summary),
        new ForAny(Summary, typeof(System.Collections.IEnumerable)),   // the package has a summary formatter for this type
        new ForExceptions(PlainTextFormatter.MimeType), new ForExceptions(HtmlFormatter.MimeType),
        new ForTheLimit(),
    ];
    private static readonly Lock Gate = new();

    /// <summary>Installs the formatters, also after a cell has reset all formatters.</summary>
    public static void Install()
    {
        if (Field?.GetValue(null) is not ConcurrentStack<ITypeFormatter> defaults || defaults.Contains(All[0])) return;
        lock (Gate)
        {
            if (defaults.Contains(All[0])) return;
            defaults.PushRange(All);
            typeof(Formatter).GetMethod("ClearComputedState", BindingFlags.Static | BindingFlags.NonPublic)?.Invoke(null, null);
        }
    }

    private static void WriteText(string text, string mimeType, FormatContext context)
    {
        if (mimeType != HtmlFormatter.MimeType)
        {
            context.Writer.Write(mimeType == Summary ? TerminalText.FirstLine(text) : text);
            return;
        }
        context.RequireDefaultStyles();
        context.Writer.Write($"<div class=\"dni-plaintext\"><pre>{Escape.Html(text)}</pre></div>");
    }

    private sealed class ForAny(string mimeType, Type? type = null) : ITypeFormatter
    {
        public string MimeType => mimeType;

        public Type Type => type ?? typeof(object);

        public bool Format(object instance, FormatContext context)
        {
            if (instance is null) return false;
            if (FSharpText.Prints(instance.GetType()))
            {
                WriteText(FSharpText.Of(instance), mimeType, context);
                return true;
            }
            if (mimeType != HtmlFormatter.MimeType && IsArrayOfTuples(instance.GetType()))
            {
                WriteText(BoundedText.Of(instance), mimeType, context);
                return true;
            }
            if (mimeType == HtmlFormatter.MimeType || context.Writer is BoundedWriter || context.Depth > 1) return false;
            context.Writer.Write(Bounded(instance));
            return true;
        }

        /// <summary>The package takes an array of tuples for a tuple, and describes the members of the array.</summary>
        private static bool IsArrayOfTuples(Type type) =>
            type.IsArray && typeof(System.Runtime.CompilerServices.ITuple).IsAssignableFrom(type.GetElementType());

        private string Bounded(object instance)
        {
            try
            {
                return BoundedWriter.Format(instance, mimeType);
            }
            catch (Exception thrown) when (Formatted.Cause(thrown) is FormatLimitException)
            {
                return BoundedText.Of(instance);
            }
        }
    }

    /// <summary>
    /// The package's summary formatter catches what a writer throws, and formats it; the limit must get past it.
    /// </summary>
    private sealed class ForTheLimit : ITypeFormatter
    {
        public string MimeType => Summary;

        public Type Type => typeof(FormatLimitException);

        public bool Format(object instance, FormatContext context) => throw new FormatLimitException();
    }

    /// <summary>The exception of a getter has one line: the stack of an infinite recursion has thousands.</summary>
    private sealed class ForExceptions(string mimeType) : ITypeFormatter
    {
        public string MimeType => mimeType;

        public Type Type => typeof(Exception);

        public bool Format(object instance, FormatContext context)
        {
            if (instance is not Exception error || context.Depth <= 1) return false;
            WriteText($"{error.GetType().FullName}: {error.Message}", mimeType, context);
            return true;
        }
    }
}
