using System.Text;

namespace ResearchKit.Data;

/// <summary>
/// Translates a regular expression of Oniguruma (https://github.com/kkos/oniguruma/blob/master/doc/RE) into .NET's syntax:
/// possessive quantifiers, character classes with intersections, names of properties, and the meaning of \w, \h, ^ and $.
/// </summary>
internal sealed class PatternTranslator
{
    private readonly string source;
    private readonly string name;
    private readonly StringBuilder result = new();
    private int at;

    private PatternTranslator(string source, string name)
    {
        this.source = source;
        this.name = name;
    }

    public static string Translate(string source, string name)
    {
        var translator = new PatternTranslator(source, name);
        translator.Alternatives(0);
        return translator.at == source.Length ? translator.result.ToString()
            : throw translator.Unsupported("a ')' without a '('");
    }

    private void Alternatives(int depth)
    {
        if (depth > 100) throw Unsupported("groups nested more than 100 deep");
        while (at < source.Length && source[at] != ')')
        {
            if (source[at] == '|')
            {
                result.Append(source[at++]);
                continue;
            }
            var start = result.Length;
            Atom(depth);
            while (Quantifier(start)) { }
        }
    }

    private bool Quantifier(int start)
    {
        if (at == source.Length) return false;
        string quantifier;
        var interval = source[at] == '{';
        if (source[at] is '*' or '+' or '?') quantifier = source[at++].ToString();
        else if (interval && Interval() is { } found) quantifier = found;
        else return false;
        var next = at < source.Length ? source[at] : ' ';
        if (next == '?')
        {
            at++;
            result.Append(quantifier).Append('?');
        }
        else if (next == '+' && !interval)
        {
            at++;
            result.Insert(start, "(?>").Append(quantifier).Append(')');
        }
        else
        {
            result.Append(quantifier);
            if (next is '+' or '*' || (next == '{' && !interval)) result.Insert(start, "(?:").Append(')');
        }
        return true;
    }

    private string? Interval()
    {
        var end = source.IndexOf('}', at);
        if (end < 0) return null;
        var inner = source[(at + 1)..end];
        if (inner.Length == 0 || inner == "," || inner.Any(character => character is not (',' or >= '0' and <= '9'))
            || inner.Count(character => character == ',') > 1) return null;
        at = end + 1;
        return inner[0] == ',' ? $"{{0{inner}}}" : $"{{{inner}}}";
    }

    private void Atom(int depth)
    {
        var character = source[at++];
        switch (character)
        {
            case '(': Group(depth); break;
            case '[': result.Append(new CharacterClass(source, name).Read(ref at)); break;
            case '\\': result.Append(Escape()); break;
            case '^': result.Append("(?m:^)"); break;
            case '$': result.Append("(?m:$)"); break;
            case '.': result.Append("[^\\n]"); break;
            case '{' or '}' or ']' or '#': result.Append('\\').Append(character); break;
            default: result.Append(character); break;
        }
    }

    private void Group(int depth)
    {
        result.Append('(');
        if (at < source.Length && source[at] == '?')
        {
            var end = at + 1;
            while (end < source.Length && source[end] is not (':' or '=' or '!' or '>' or ')')
                && !(source[end] is '<' && end + 1 < source.Length && source[end + 1] is '=' or '!')) end++;
            if (end < source.Length && source[end] == '<') end++;
            if (end == source.Length) throw Unsupported("a group without an end");
            var opening = source[(at + 1)..(end + 1)];
            var flags = opening[..^1];
            if (flags.Length > 0 && flags[0] is not ('<' or 'P') && flags.Any(flag => flag is not ('i' or 'm' or '-')))
                throw Unsupported($"the group (?{opening}");
            // Oniguruma's m lets the dot match line ends; the dot is translated without it.
            if (flags.Contains('m', StringComparison.Ordinal) && flags[0] != '<') throw Unsupported($"the group (?{opening}");
            result.Append('?').Append(opening.Replace("P<", "<", StringComparison.Ordinal));
            at = end + 1;
            if (opening[^1] == ')') return;
        }
        Alternatives(depth + 1);
        if (at == source.Length) throw Unsupported("a '(' without a ')'");
        at++;
        result.Append(')');
    }

    private string Escape()
    {
        if (at == source.Length) throw Unsupported("a backslash at its end");
        var start = at;
        if (CharacterClass.Escaped(source, ref at, name) is { } set) return set;
        var character = source[at++];
        return character switch
        {
            'b' or 'B' or 'A' or 'z' or 'Z' or 'G' or (>= '1' and <= '9') => $"\\{character}",
            'k' => "\\k",
            _ => throw Unsupported($"\\{source[start..at]}"),
        };
    }

    private InvalidDataException Unsupported(string what) =>
        new($"{name} has the pattern '{source}' with {what} at character {Math.Min(at, source.Length)}; "
            + "expected a regular expression that .NET has an equivalent for.");
}
