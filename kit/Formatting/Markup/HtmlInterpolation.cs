using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>What the compiler makes of an interpolated string given to <see cref="Html.Of"/>.</summary>
[InterpolatedStringHandler]
public readonly ref struct HtmlInterpolation
{
    private readonly StringBuilder text;

    /// <summary>Begins a piece of markup; called by the compiler.</summary>
    public HtmlInterpolation(int literalLength, int formattedCount) =>
        text = new StringBuilder(literalLength + (16 * formattedCount));

    /// <summary>Adds markup of the program itself.</summary>
    public void AppendLiteral(string literal) => text.Append(literal);

    /// <summary>Adds markup.</summary>
    public void AppendFormatted(Html? markup) => text.Append(markup?.ToString());

    /// <summary>Adds markup, piece after piece.</summary>
    public void AppendFormatted(IEnumerable<Html> pieces) => text.AppendJoin("", pieces);

    /// <summary>Adds text, encoded.</summary>
    public void AppendFormatted(string? value) => Encode(value);

    /// <summary>Adds a value as text in the invariant culture, encoded; a list or an array of markup as markup.</summary>
    public void AppendFormatted<T>(T value, string? format = null)
    {
        if (value is IEnumerable<Html> pieces) AppendFormatted(pieces);   // this overload fits a list better than its own does
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

    /// <summary>What stands for a character that markup must not hold; null for all others.</summary>
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
