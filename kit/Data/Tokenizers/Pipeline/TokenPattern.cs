using System.Text;
using System.Text.RegularExpressions;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>A regular expression of a tokenizer, applied to characters (Unicode code points).</summary>
/// <remarks>
/// .NET matches UTF-16 units and would see a character beyond U+FFFF as two surrogates. For such texts, each of these
/// characters is replaced by one of the same general category below U+FFFF, and the matches are mapped back.
/// </remarks>
internal sealed class TokenPattern
{
    /// <summary>The longest time for one match; a pattern that backtracks without end is stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Characters by the number of their category in .NET, from UppercaseLetter to OtherNotAssigned.</summary>
    private static readonly char[] Substitutes =
    [
        '\uA640', '\uA641', '\u01C5', '\uA015', '\uA000', '\uA802', '\uA823', '\uA670', '\uA620', '\uA6E6', '\uA830', '\u1680',
        '\u2028', '\u2029', '\u0080', '\u206A', '\uE000', '\uE000', '\u2054', '\u2E3A', '\u2E28', '\u2E29', '\u2E02', '\u2E03',
        '\uA60D', '\u2A00', '\uA838', '\uA700', '\uA490', '\u0378',
    ];

    private readonly Regex regex;
    private readonly string source;

    /// <param name="source">A pattern in the syntax of Oniguruma or of Rust's regular expressions.</param>
    /// <param name="name">Where the pattern stands, for error messages.</param>
    /// <exception cref="InvalidDataException">The pattern is malformed or uses what has no equivalent in .NET.</exception>
    public TokenPattern(string source, string name)
    {
        this.source = source;
        var translated = PatternTranslator.Translate(source, name);
        try
        {
            regex = new Regex(translated, RegexOptions.CultureInvariant | RegexOptions.Compiled, Patience);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{name} has the pattern '{source}', which is not a regular expression: "
                + error.Message, error);
        }
    }

    /// <summary>Finds the matches in a text, in order; start and length in UTF-16 units. Empty matches are left out.</summary>
    /// <exception cref="InvalidDataException">A match takes too long.</exception>
    public List<(int Start, int Length)> Matches(string text)
    {
        var found = new List<(int Start, int Length)>();
        var (units, offsets) = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? (text, null) : Substituted(text);
        try
        {
            foreach (var match in regex.EnumerateMatches(units))
                if (match.Length > 0)
                    found.Add(offsets is null ? (match.Index, match.Length)
                        : (offsets[match.Index], offsets[match.Index + match.Length] - offsets[match.Index]));
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new InvalidDataException($"The pattern '{source}' did not finish within {Patience.TotalSeconds} s on a text of "
                + $"{text.Length} characters; expected a pattern that does not backtrack.", error);
        }
        return found;
    }

    /// <summary>Returns the text with each match replaced by the same string.</summary>
    public string Replace(string text, string replacement)
    {
        var result = new StringBuilder(text.Length);
        var at = 0;
        foreach (var (start, length) in Matches(text))
        {
            result.Append(text, at, start - at).Append(replacement);
            at = start + length;
        }
        return at == 0 ? text : result.Append(text, at, text.Length - at).ToString();
    }

    private static (string Units, int[] Offsets) Substituted(string text)
    {
        var units = new StringBuilder(text.Length);
        var offsets = new List<int>(text.Length + 1);
        for (var at = 0; at < text.Length; at++)
        {
            offsets.Add(at);
            var pair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
            units.Append(pair ? Substitute(char.ConvertToUtf32(text[at], text[at + 1])) : text[at]);
            if (pair) at++;
        }
        offsets.Add(text.Length);
        return (units.ToString(), [.. offsets]);
    }

    // Planes 2 and 3 hold only Han characters.
    private static char Substitute(int point) => point >= 0x20000 && CodePoints.IsLetter(point) ? '\u3400'
        : Substitutes[(int)System.Globalization.CharUnicodeInfo.GetUnicodeCategory(point)];
}
