using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>Interpolated string handler for <see cref="Html.Of"/>.</summary>
[InterpolatedStringHandler]
public readonly ref struct HtmlInterpolation
{
    private readonly StringBuilder text;

    /// <summary>Starts an interpolated string; called by the compiler.</summary>
    public HtmlInterpolation(int literalLength, int formattedCount) =>
        text = new StringBuilder(literalLength + (16 * formattedCount));

    /// <summary>Appends a literal part without encoding.</summary>
    public void AppendLiteral(string literal) => text.Append(literal);

    /// <summary>Appends HTML without encoding.</summary>
    public void AppendFormatted(Html? markup) => text.Append(markup?.ToString());

    /// <summary>Appends a sequence of HTML without encoding.</summary>
    public void AppendFormatted(IEnumerable<Html> pieces) => text.AppendJoin("", pieces);

    /// <summary>Appends a text with encoding.</summary>
    public void AppendFormatted(string? value) => Encode(value);

    /// <summary>
    /// Appends a value, formatted in the invariant culture and encoded; a sequence of HTML is appended without
    /// encoding.
    /// </summary>
    public void AppendFormatted<T>(T value, string? format = null)
    {
        // overload resolution prefers this method for lists
        if (value is IEnumerable<Html> pieces) AppendFormatted(pieces);
        else Encode(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture)
            : value?.ToString());
    }

    internal string Finish() => text.ToString();

    private void Encode(string? value)
    {
        if (value is null) return;
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
                text.Append(c).Append(value[++i]);
            else if (Entity(c) is { } entity) text.Append(entity);
            else text.Append(c);
        }
    }

    /// <summary>Returns the replacement of a character that HTML must not contain; null for all others.</summary>
    private static string? Entity(char c) => c switch
    {
        '<' => "&lt;",
        '>' => "&gt;",
        '&' => "&amp;",
        '"' => "&quot;",
        '\'' => "&#39;",
        '\t' or '\n' => null,
        _ when char.IsControl(c) || char.IsSurrogate(c) || c >= '\ufffe' => "\ufffd",
        _ => null,
    };
}
