using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Collects the text of a formatter, and stops the formatter when the value nests without end, such as a list that contains
/// itself.
/// </summary>
internal sealed class BoundedWriter() : StringWriter(CultureInfo.InvariantCulture)
{
    private const int Deepest = 60;
    private const int Deep = 8;                 // the formatters describe members up to a depth of 6
    private const int MostDeepText = 1 << 16;   // characters at a depth of more than Deep
    private const int MostText = 1 << 24;
    private FormatContext? context;
    private int deepText;

    /// <summary>Formats a value in one mime type.</summary>
    /// <exception cref="FormatLimitException">The value nests too deeply, or its text is too long.</exception>
    public static string Format(object? value, string mimeType)
    {
        using var writer = new BoundedWriter();
        using (var context = new FormatContext(writer))
        {
            writer.context = context;
            value.FormatTo(context, mimeType);
        }
        return writer.ToString();
    }

    public override void Write(char value)
    {
        Check(1);
        base.Write(value);
    }

    public override void Write(string? value)
    {
        Check(value?.Length ?? 0);
        base.Write(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        Check(count);
        base.Write(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        Check(buffer.Length);
        base.Write(buffer);
    }

    private void Check(int length)
    {
        var depth = context?.Depth ?? 0;
        if (depth > Deep) deepText += length;
        if (depth > Deepest || deepText > MostDeepText || GetStringBuilder().Length + length > MostText
            || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new FormatLimitException();
    }
}

/// <summary>A value nests too deeply to be formatted, or its text is too long.</summary>
internal sealed class FormatLimitException() : Exception("The value nests too deeply or is too large to be formatted.");
