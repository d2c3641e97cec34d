using System.Globalization;
using System.Text;

namespace ResearchKit.Data;

/// <summary>Translates character classes and escapes of Oniguruma; each result matches exactly one character.</summary>
internal sealed class CharacterClass(string source, string name)
{
    private const string WordSet = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200C\u200D\u24B6-\u24E9";

    private static readonly Dictionary<string, string> Sets = new(StringComparer.OrdinalIgnoreCase)
    {
        ["alpha"] = @"\p{L}\p{Nl}\p{M}",
        ["alphabetic"] = @"\p{L}\p{Nl}\p{M}",
        ["alnum"] = @"\p{L}\p{Nl}\p{M}\p{Nd}",
        ["digit"] = @"\p{Nd}",
        ["space"] = @"\s",
        ["upper"] = @"\p{Lu}",
        ["lower"] = @"\p{Ll}",
        ["punct"] = @"\p{P}$+<=>\^`|~",
        ["word"] = WordSet,
        ["letter"] = @"\p{L}",
        ["mark"] = @"\p{M}",
        ["number"] = @"\p{N}",
        ["punctuation"] = @"\p{P}",
        ["symbol"] = @"\p{S}",
        ["separator"] = @"\p{Z}",
        ["other"] = @"\p{C}",
        ["L&"] = @"\p{Lu}\p{Ll}\p{Lt}",
        ["LC"] = @"\p{Lu}\p{Ll}\p{Lt}",
        ["han"] = @"\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFA6D\uFA70-\uFAD9",
        ["hiragana"] = @"\u3041-\u3096\u309D-\u309F",
        ["katakana"] = @"\u30A1-\u30FA\u30FD-\u30FF\u31F0-\u31FF\u32D0-\u32FE\u3300-\u3357\uFF66-\uFF6F\uFF71-\uFF9D",
        ["hangul"] = @"\u1100-\u11FF\u302E\u302F\u3131-\u318E\u3200-\u321E\u3260-\u327E\uA960-\uA97C\uAC00-\uD7A3\uD7B0-\uD7C6\uD7CB-\uD7FB\uFFA0-\uFFBE\uFFC2-\uFFC7\uFFCA-\uFFCF\uFFD2-\uFFD7\uFFDA-\uFFDC",
        ["thai"] = @"\u0E01-\u0E3A\u0E40-\u0E5B",
        ["hebrew"] = @"\u0591-\u05C7\u05D0-\u05EA\u05EF-\u05F4\uFB1D-\uFB36\uFB38-\uFB3C\uFB3E\uFB40\uFB41\uFB43\uFB44\uFB46-\uFB4F",
        ["cyrillic"] = @"\u0400-\u0484\u0487-\u052F\u1C80-\u1C88\u1D2B\u1D78\u2DE0-\u2DFF\uA640-\uA69F\uFE2E\uFE2F",
    };

    private static readonly string[] Categories =
        ["L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
            "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co", "Cn"];

    /// <summary>Reads a class after its opening bracket.</summary>
    public string Read(ref int at)
    {
        var negated = at < source.Length && source[at] == '^';
        if (negated) at++;
        var operands = new List<string>();
        var set = new StringBuilder();         // inside of a class of .NET
        var others = new List<string>();       // negated classes in a union
        for (var first = true; ; first = false)
        {
            if (at >= source.Length) throw Malformed("a '[' without a ']'");
            if (source[at] == ']' && !first) break;
            if (Follows("&&", at))
            {
                at += 2;
                operands.Add(Union(set, others));
                set.Clear();
                others.Clear();
            }
            else if (Follows("[:", at) && source.IndexOf(":]", at, StringComparison.Ordinal) is > 0 and var end)
            {
                set.Append(Named(source[(at + 2)..end]));
                at = end + 2;
            }
            else if (source[at] == '[')
            {
                at++;
                others.Add(Read(ref at));
            }
            else Item(set, others, ref at);
        }
        at++;
        operands.Add(Union(set, others));
        var all = operands is [var only] ? only
            : $"(?:{string.Concat(operands.Skip(1).Select(operand => $"(?={operand})"))}{operands[0]})";
        if (!negated) return all;
        return operands.Count == 1 && all.StartsWith('[') && !all.StartsWith("[^", StringComparison.Ordinal) ? $"[^{all[1..]}"
            : $"(?:(?!{all})[\\s\\S])";
    }

    /// <summary>Reads what follows a backslash, if it stands for one character or a set; otherwise null.</summary>
    public static string? Escaped(string source, ref int at, string name)
    {
        var start = at;
        var (inner, negated) = new CharacterClass(source, name).EscapedSet(ref at);
        if (inner is null)
        {
            at = start;
            return null;
        }
        return negated ? $"[^{inner}]" : $"[{inner}]";
    }

    private void Item(StringBuilder set, List<string> others, ref int at)
    {
        var escaped = source[at] == '\\';
        if (escaped)
        {
            at++;
            var start = at;
            var (inner, negated) = EscapedSet(ref at);
            if (inner is null) throw Malformed($"\\{(start < source.Length ? source[start] : ' ')} in a class");
            if (negated) others.Add($"[^{inner}]");
            else set.Append(inner);
        }
        else set.Append(Literal(source[at++]));
        var isRange = at + 1 < source.Length && source[at] == '-' && source[at + 1] is not (']' or '[');
        if (!isRange) return;
        at++;
        set.Append('-');
        if (source[at] != '\\')
        {
            set.Append(Literal(source[at++]));
            return;
        }
        at++;
        set.Append(EscapedSet(ref at).Inner ?? throw Malformed("a range that ends in a set"));
    }

    private (string? Inner, bool Negated) EscapedSet(ref int at)
    {
        if (at == source.Length) return (null, false);
        var character = source[at++];
        switch (character)
        {
            case 'd' or 's': return ($"\\{character}", false);
            case 'D' or 'S': return ($"\\{char.ToLowerInvariant(character)}", true);
            case 'w' or 'W': return (WordSet, character == 'W');
            case 'h' or 'H': return ("0-9a-fA-F", character == 'H');
            case 'p' or 'P': return Property(ref at, character == 'P');
            case 'n' or 't' or 'r' or 'f' or 'v' or 'a' or 'e': return ($"\\{character}", false);
            case 'u': return (Literal(Code(ref at, 4)), false);
            case 'x': return (Literal(Code(ref at, 2)), false);
            case '0': return ("\\0", false);
            default: return char.IsAsciiLetterOrDigit(character) ? (null, false) : (Literal(character), false);
        }
    }

    private (string? Inner, bool Negated) Property(ref int at, bool negated)
    {
        var braced = at < source.Length && source[at] == '{';
        var end = braced ? source.IndexOf('}', at) : at;
        if (end < 0 || end >= source.Length) throw Malformed("a property without an end");
        var property = braced ? source[(at + 1)..end] : source[at].ToString();
        at = end + 1;
        return property.StartsWith('^') ? (Named(property[1..]), !negated) : (Named(property), negated);
    }

    private string Named(string property)
    {
        var bare = property[(property.IndexOf('=', StringComparison.Ordinal) + 1)..].Replace("_", "", StringComparison.Ordinal);
        return Categories.FirstOrDefault(known => known.Equals(bare, StringComparison.OrdinalIgnoreCase)) is { } category
            ? $"\\p{{{category}}}"
            : Sets.TryGetValue(bare, out var set) ? set : throw Malformed($"the property '{property}'");
    }

    private char Code(ref int at, int digits)
    {
        var braced = at < source.Length && source[at] == '{';
        var end = braced ? source.IndexOf('}', at) : Math.Min(at + digits, source.Length);
        var text = end < 0 ? "" : source[(braced ? at + 1 : at)..end];
        at = braced ? end + 1 : end;
        return int.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code) && code <= 0xFFFF
            ? (char)code
            : throw Malformed($"the character code '{text}'");
    }

    private string Literal(char character) => char.IsSurrogate(character) ? throw Malformed("a character beyond U+FFFF")
        : character < 128 && !char.IsAsciiLetterOrDigit(character) ? $"\\u{(int)character:X4}" : character.ToString();

    private static string Union(StringBuilder set, List<string> others) => others.Count == 0 ? $"[{set}]"
        : set.Length == 0 && others.Count == 1 ? others[0]
        : $"(?:{string.Join('|', set.Length > 0 ? others.Prepend($"[{set}]") : others)})";

    private bool Follows(string text, int at) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private InvalidDataException Malformed(string what) =>
        new($"{name} has the pattern '{source}' with {what}; expected a regular expression that .NET has an equivalent for.");
}
