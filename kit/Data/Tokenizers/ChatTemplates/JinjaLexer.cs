using System.Text;

namespace ResearchKit.Data;

/// <summary>Kinds of tokens of a template.</summary>
internal enum JinjaKind
{
    Text, BlockBegin, BlockEnd, VariableBegin, VariableEnd, Name, String, Integer, Float, Operator, End,
}

/// <summary>A token of a template, with its line.</summary>
internal readonly record struct JinjaToken(JinjaKind Kind, string Text, int Line);

/// <summary>
/// Splits a template into tokens, with transformers' settings of Jinja: the line end after a block and the white space before
/// it on its line are dropped (<c>trim_blocks</c>, <c>lstrip_blocks</c>).
/// </summary>
internal sealed class JinjaLexer
{
    private static readonly string[] Operators =
        ["//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",",
            ":", ".", "|"];

    private readonly string source;
    private readonly string name;
    private readonly List<JinjaToken> tokens = [];
    private int at;
    private int line = 1;
    private int counted;

    private JinjaLexer(string source, string name)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        this.source = source.EndsWith('\n') ? source[..^1] : source;
        this.name = name;
    }

    public static List<JinjaToken> Read(string source, string name)
    {
        var lexer = new JinjaLexer(source, name);
        while (lexer.at < lexer.source.Length) lexer.Next();
        lexer.Add(JinjaKind.End, "");
        return lexer.tokens;
    }

    private void Next()
    {
        var begin = at;
        var tag = at;
        while ((tag = source.IndexOf('{', tag)) >= 0 && !(tag + 1 < source.Length && source[tag + 1] is '{' or '%' or '#')) tag++;
        if (tag < 0)
        {
            Add(JinjaKind.Text, source[at..]);
            at = source.Length;
            return;
        }
        var kind = source[tag + 1];
        at = tag + 2;
        var sign = at < source.Length ? source[at] : ' ';
        var text = source[begin..tag];
        if (sign == '-') text = text.TrimEnd();
        else if (kind != '{' && sign != '+') text = WithoutIndent(text, begin);
        if (text.Length > 0) Add(JinjaKind.Text, text);
        if (sign == '-' || (sign == '+' && kind != '{')) at++;
        if (kind == '#') Comment();
        else if (kind == '%' && Raw()) return;
        else
        {
            Add(kind == '{' ? JinjaKind.VariableBegin : JinjaKind.BlockBegin, "");
            Inside(kind == '{' ? "}}" : "%}");
        }
    }

    private string WithoutIndent(string text, int begin)
    {
        var lineStart = text.LastIndexOf('\n') + 1;
        var beginsLine = lineStart > 0 || begin == 0 || source[begin - 1] == '\n';
        return beginsLine && string.IsNullOrWhiteSpace(text[lineStart..]) ? text[..lineStart] : text;
    }

    private void Comment()
    {
        var end = source.IndexOf("#}", at, StringComparison.Ordinal);
        if (end < 0) throw Error("a comment without '#}'");
        at = end + 2;
        AfterTag(source[end - 1], isVariable: false);
    }

    private bool Raw()
    {
        var end = source.IndexOf("%}", at, StringComparison.Ordinal);
        if (end < 0 || source[at..end].Trim(' ', '\n', '\t', '-') != "raw") return false;
        at = end + 2;
        AfterTag(source[end - 1], isVariable: true);    // the line end after {% raw %} stays
        var begin = at;
        for (var tag = at; ; tag += 2)
        {
            tag = source.IndexOf("{%", tag, StringComparison.Ordinal);
            var close = tag < 0 ? -1 : source.IndexOf("%}", tag, StringComparison.Ordinal);
            if (close < 0) throw Error("a raw block without endraw");
            if (source[(tag + 2)..close].Trim(' ', '\n', '\t', '-', '+') != "endraw") continue;
            var text = source[begin..tag];
            Add(JinjaKind.Text, source[tag + 2] == '-' ? text.TrimEnd() : source[tag + 2] == '+' ? text
                : WithoutIndent(text, begin));
            at = close + 2;
            AfterTag(source[close - 1], isVariable: false);
            return true;
        }
    }

    /// <summary>Skips what the end of a tag takes from the text after it.</summary>
    private void AfterTag(char sign, bool isVariable)
    {
        if (sign == '-') while (at < source.Length && char.IsWhiteSpace(source[at])) at++;
        else if (!isVariable && sign != '+' && at < source.Length && source[at] == '\n') at++;
    }

    private void Inside(string close)
    {
        var depth = 0;
        while (true)
        {
            while (at < source.Length && char.IsWhiteSpace(source[at])) at++;
            if (at == source.Length) throw Error($"a tag without '{close}'");
            var sign = source[at] == '-' || (source[at] == '+' && close == "%}") ? source[at] : ' ';
            if (depth == 0 && Follows(close, sign == ' ' ? at : at + 1))
            {
                Add(close == "}}" ? JinjaKind.VariableEnd : JinjaKind.BlockEnd, "");
                at += close.Length + (sign == ' ' ? 0 : 1);
                AfterTag(sign, isVariable: close == "}}");
                return;
            }
            var character = source[at];
            if (char.IsLetter(character) || character == '_') Add(JinjaKind.Name,
                Taken(unit => char.IsLetterOrDigit(unit) || unit == '_'));
            else if (char.IsAsciiDigit(character)) Number();
            else if (character is '"' or '\'') Text(character);
            else
            {
                var found = Array.Find(Operators, symbol => Follows(symbol, at)) ?? throw Error($"'{character}'");
                if (found is "(" or "[" or "{") depth++;
                if (found is ")" or "]" or "}") depth--;
                Add(JinjaKind.Operator, found);
                at += found.Length;
            }
        }
    }

    private void Number()
    {
        var begin = at;
        Taken(unit => char.IsAsciiDigit(unit) || unit == '_');
        var isFloat = at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]);
        if (isFloat)
        {
            at++;
            Taken(unit => char.IsAsciiDigit(unit) || unit == '_');
        }
        if (at < source.Length && source[at] is 'e' or 'E')
        {
            isFloat = true;
            at++;
            if (at < source.Length && source[at] is '+' or '-') at++;
            Taken(char.IsAsciiDigit);
        }
        Add(isFloat ? JinjaKind.Float : JinjaKind.Integer, source[begin..at].Replace("_", "", StringComparison.Ordinal));
    }

    private void Text(char quote)
    {
        var text = new StringBuilder();
        at++;
        while (true)
        {
            if (at >= source.Length) throw Error("a string without an end");
            var character = source[at++];
            if (character == quote) break;
            if (character == '\\' && at < source.Length) Escape(text);
            else text.Append(character);
        }
        Add(JinjaKind.String, text.ToString());
    }

    private void Escape(StringBuilder text)
    {
        var character = source[at++];
        var digits = character switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && at + digits <= source.Length
            && int.TryParse(source.AsSpan(at, digits), System.Globalization.NumberStyles.HexNumber, null, out var code)
            && (code < 0x10000 || Rune.IsValid(code)))
        {
            at += digits;
            text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
            return;
        }
        var plain = character switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            'a' => "\a",
            '0' => "\0",
            '\n' => "",
            '\\' or '\'' or '"' => character.ToString(),
            _ => $"\\{character}",
        };
        text.Append(plain);
    }

    private string Taken(Func<char, bool> belongs)
    {
        var begin = at;
        while (at < source.Length && belongs(source[at])) at++;
        return source[begin..at];
    }

    private bool Follows(string text, int index) => string.CompareOrdinal(source, index, text, 0, text.Length) == 0;

    private void Add(JinjaKind kind, string text)
    {
        for (; counted < Math.Min(at, source.Length); counted++)
            if (source[counted] == '\n') line++;
        tokens.Add(new JinjaToken(kind, text, line));
    }

    private InvalidDataException Error(string what) => new($"{name} has {what} (after line {line}); expected a Jinja template.");
}
