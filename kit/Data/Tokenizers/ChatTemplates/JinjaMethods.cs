using System.Globalization;

namespace ResearchKit.Data;

/// <summary>Methods of texts, lists and dictionaries that templates call; none changes its object.</summary>
internal static class JinjaMethods
{
    /// <summary>Returns a method of a value, or null.</summary>
    public static JinjaFunction? Find(object? value, string name) => value switch
    {
        string text => OfText(text, name),
        JinjaMap map => OfMap(map, name),
        List<object?> list => OfList(list, name),
        _ => null,
    };

    /// <summary>Upper-cases the first letter of each word, and lower-cases the others.</summary>
    public static string Title(string text)
    {
        var result = text.ToLowerInvariant().ToCharArray();
        for (var at = 0; at < result.Length; at++)
            if (at == 0 || !char.IsLetter(result[at - 1])) result[at] = char.ToUpperInvariant(result[at]);
        return new string(result);
    }

    public static string Capitalized(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0])
        + text[1..].ToLowerInvariant();

    public static string Trimmed(string text, string? characters, bool left = true, bool right = true)
    {
        var start = 0;
        var end = text.Length;
        while (left && start < end && Belongs(text[start])) start++;
        while (right && end > start && Belongs(text[end - 1])) end--;
        return text[start..end];

        bool Belongs(char unit) => characters is null ? char.IsWhiteSpace(unit) || unit is >= '\x1C' and <= '\x1F'
            : characters.Contains(unit, StringComparison.Ordinal);
    }

    public static string Replaced(string text, string old, string with, long? count)
    {
        if (count is null or < 0) return old.Length > 0 ? text.Replace(old, with, StringComparison.Ordinal)
            : with + string.Concat(JinjaValues.Items(text).Select(character => character + with));
        var result = new System.Text.StringBuilder();
        var at = 0;
        for (; count > 0 && old.Length > 0 && text.IndexOf(old, at, StringComparison.Ordinal) is >= 0 and var found; count--)
        {
            result.Append(text, at, found - at).Append(with);
            at = found + old.Length;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private static JinjaFunction? OfText(string text, string name) => name switch
    {
        "strip" => a => Trimmed(text, a.Get(0, "chars") as string),
        "lstrip" => a => Trimmed(text, a.Get(0, "chars") as string, right: false),
        "rstrip" => a => Trimmed(text, a.Get(0, "chars") as string, left: false),
        "split" => a => Split(text, a.Get(0, "sep") as string, a.Integer(1, "maxsplit") ?? -1),
        "rsplit" => a => SplitFromEnd(text, a.Get(0, "sep") as string, a.Integer(1, "maxsplit") ?? -1),
        "splitlines" => a => Lines(text, JinjaValues.IsTrue(a.Get(0, "keepends"))),
        "startswith" => a => Any(a.Get(0, "prefix"), part => text.StartsWith(part, StringComparison.Ordinal)),
        "endswith" => a => Any(a.Get(0, "suffix"), part => text.EndsWith(part, StringComparison.Ordinal)),
        "removeprefix" => a => a.Text(0, "prefix", "") is var part && text.StartsWith(part, StringComparison.Ordinal)
            ? text[part.Length..] : text,
        "removesuffix" => a => a.Text(0, "suffix", "") is var part && text.EndsWith(part, StringComparison.Ordinal)
            ? text[..^part.Length] : text,
        "upper" => _ => text.ToUpperInvariant(),
        "lower" => _ => text.ToLowerInvariant(),
        "title" => _ => Title(text),
        "capitalize" => _ => Capitalized(text),
        "replace" => a => Replaced(text, a.Text(0, "old", ""), a.Text(1, "new", ""), a.Integer(2, "count")),
        "join" => a => string.Join(text, JinjaValues.Items(a.Get(0, "iterable")).Select(JinjaValues.Text)),
        "find" => a => (long)text.IndexOf(a.Text(0, "sub", ""), StringComparison.Ordinal),
        "rfind" => a => (long)text.LastIndexOf(a.Text(0, "sub", ""), StringComparison.Ordinal),
        "count" => a => a.Text(0, "sub", "") is { Length: > 0 } part
            ? (text.Length - text.Replace(part, "", StringComparison.Ordinal).Length) / (long)part.Length : text.Length + 1L,
        "isdigit" or "isdecimal" or "isnumeric" => _ => text.Length > 0 && text.All(char.IsDigit),
        "isalpha" => _ => text.Length > 0 && text.All(char.IsLetter),
        "isalnum" => _ => text.Length > 0 && text.All(char.IsLetterOrDigit),
        "isspace" => _ => text.Length > 0 && text.All(char.IsWhiteSpace),
        "isupper" => _ => text.Any(char.IsUpper) && !text.Any(char.IsLower),
        "islower" => _ => text.Any(char.IsLower) && !text.Any(char.IsUpper),
        "zfill" => a => text.PadLeft((int)Math.Min(a.Integer(0, "width") ?? 0, 1000), '0'),
        "format" => a => Format(text, a),
        _ => null,
    };

    private static JinjaFunction? OfMap(JinjaMap map, string name) => name switch
    {
        "items" => _ => map.Select(entry => (object?)new JinjaTuple([entry.Key, entry.Value])).ToList(),
        "keys" => _ => map.Keys.Cast<object?>().ToList(),
        "values" => _ => map.Values.ToList(),
        "get" => a => map.TryGetValue(a.Text(0, "key", ""), out var found) ? found : a.Get(1, "default"),
        "copy" => _ => JinjaValues.Map(map.Select(entry => (entry.Key, entry.Value))),
        "update" or "pop" or "setdefault" or "clear" or "popitem" => _ => throw Changes(name),
        _ => null,
    };

    private static JinjaFunction? OfList(List<object?> list, string name) => name switch
    {
        "index" => a => list.FindIndex(item => JinjaValues.Same(item, a.Get(0, "value"))) is >= 0 and var found ? (long)found
            : throw new ChatTemplateException($"The template looks for {JinjaValues.Repr(a.Get(0, "value"))} in a list that "
                + "does not have it."),
        "count" => a => (long)list.Count(item => JinjaValues.Same(item, a.Get(0, "value"))),
        "copy" => _ => list.ToList(),
        "append" or "extend" or "insert" or "pop" or "remove" or "clear" or "sort" or "reverse" => _ => throw Changes(name),
        _ => null,
    };

    private static ChatTemplateException Changes(string name) =>
        new($"The template calls '{name}', which changes a value; templates cannot change lists and dictionaries.");

    private static bool Any(object? parts, Func<string, bool> holds) => parts is string part ? holds(part)
        : parts is List<object?> several && several.Exists(one => one is string text && holds(text));

    private static List<object?> Split(string text, string? separator, long most)
    {
        var limit = most < 0 ? int.MaxValue : (int)Math.Min(most + 1, int.MaxValue);
        if (separator is not null) return text.Split(Checked(separator), limit).Cast<object?>().ToList();
        var words = new List<object?>();
        var rest = Trimmed(text, null, right: false);
        while (rest.Length > 0 && words.Count < limit - 1)
        {
            var end = 0;
            while (end < rest.Length && !char.IsWhiteSpace(rest[end])) end++;
            words.Add(rest[..end]);
            rest = Trimmed(rest[end..], null, right: false);
        }
        if (rest.Length > 0) words.Add(rest.TrimEnd());
        return words;
    }

    private static List<object?> SplitFromEnd(string text, string? separator, long most)
    {
        if (separator is null || most < 0) return Split(text, separator, -1);
        Checked(separator);
        var parts = new List<object?>();
        for (; most > 0 && text.LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var found; most--)
        {
            parts.Insert(0, text[(found + separator.Length)..]);
            text = text[..found];
        }
        parts.Insert(0, text);
        return parts;
    }

    private static string Checked(string separator) => separator.Length > 0 ? separator
        : throw new ChatTemplateException("The template splits text at an empty separator.");

    private static List<object?> Lines(string text, bool keepEnds)
    {
        var lines = new List<object?>();
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf('\n', at);
            var next = end < 0 ? text.Length : end + 1;
            var line = text[at..next];
            lines.Add(keepEnds ? line : line.TrimEnd('\n', '\r'));
            at = next;
        }
        return lines;
    }

    private static string Format(string text, JinjaArguments arguments)
    {
        var next = 0;
        return System.Text.RegularExpressions.Regex.Replace(text, @"\{(\w*)\}", match =>
        {
            var key = match.Groups[1].Value;
            if (key.Length == 0) return JinjaValues.Text(arguments.Get(next++, ""));
            return int.TryParse(key, CultureInfo.InvariantCulture, out var place) ? JinjaValues.Text(arguments.Get(place, ""))
                : JinjaValues.Text(arguments.Named.GetValueOrDefault(key));
        });
    }
}
