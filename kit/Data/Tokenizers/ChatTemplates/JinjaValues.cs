using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>A dictionary of a template, in the order of its entries.</summary>
internal sealed class JinjaMap : OrderedDictionary<string, object?>
{
    /// <summary>Whether attributes can be set, as in <c>namespace()</c>.</summary>
    public bool IsNamespace { get; init; }
}

/// <summary>A list of a template that is written in parentheses, as in Python.</summary>
internal sealed class JinjaTuple(IEnumerable<object?> items) : List<object?>(items);

/// <summary>
/// Values of templates with Python's meaning: null, <see cref="JinjaUndefined"/>, bool, long, double, string, lists,
/// <see cref="JinjaMap"/> and <see cref="JinjaFunction"/>. Objects of .NET cannot get in.
/// </summary>
internal static class JinjaValues
{
    /// <summary>Returns a value of .NET as one of a template.</summary>
    /// <exception cref="ArgumentException">It is none of the kinds of JSON.</exception>
    public static object? From(object? value, int depth = 0) => depth > 64
        ? throw new ArgumentException("A value of the template is nested more than 64 deep.")
        : value switch
        {
            null or string or bool or long or double or JinjaMap or JinjaFunction or JinjaUndefined => value,
            int or short or byte or uint or sbyte or ushort => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            float single => (double)single,
            decimal number => (double)number,
            JsonElement json => From(json, depth),
            System.Text.Json.Nodes.JsonNode node => From(JsonSerializer.SerializeToElement(node), depth),
            IEnumerable<KeyValuePair<string, object?>> map => Map(map.Select(entry => (entry.Key, From(entry.Value, depth + 1)))),
            IEnumerable<KeyValuePair<string, string>> map => Map(map.Select(entry => (entry.Key, (object?)entry.Value))),
            System.Collections.IEnumerable list => list.Cast<object?>().Select(item => From(item, depth + 1)).ToList(),
            _ => throw new ArgumentException($"A value of the template is a {value.GetType().Name}; expected text, a number, "
                + "true or "
                + "false, null, a list, a dictionary from strings, or JSON."),
        };

    public static JinjaMap Map(IEnumerable<(string Key, object? Value)> entries)
    {
        var map = new JinjaMap();
        foreach (var (key, value) in entries) map[key] = value;
        return map;
    }

    public static bool IsTrue(object? value) => value switch
    {
        null or JinjaUndefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        JinjaMap map => map.IsNamespace || map.Count > 0,
        _ => true,
    };

    /// <summary>Returns what Python's <c>str</c> does.</summary>
    public static string Text(object? value) => value is string text ? text : value is JinjaUndefined ? "" : Repr(value);

    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var size = Math.Abs(value);
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        if (size is 0 or (>= 1e-4 and < 1e16))
        {
            if (text.Contains('E', StringComparison.Ordinal)) text = value.ToString("0.####################",
                CultureInfo.InvariantCulture);
            return text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";
        }
        return text.Contains('E', StringComparison.Ordinal) ? text.Replace("E", "e", StringComparison.Ordinal)
            : value.ToString("0.################e+00", CultureInfo.InvariantCulture);
    }

    public static string Repr(object? value)
    {
        switch (value)
        {
            case null: return "None";
            case bool flag: return flag ? "True" : "False";
            case long number: return number.ToString(CultureInfo.InvariantCulture);
            case double number: return Number(number);
            case string text: return Quoted(text);
            case JinjaTuple tuple: return $"({string.Join(", ", tuple.Select(Repr))}{(tuple.Count == 1 ? "," : "")})";
            case List<object?> list: return $"[{string.Join(", ", list.Select(Repr))}]";
            case JinjaMap map:
                return $"{{{string.Join(", ", map.Select(entry => $"{Quoted(entry.Key)}: {Repr(entry.Value)}"))}}}";
            case JinjaUndefined: return "Undefined";
            default: return "<function>";
        }
    }

    public static long Integer(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long number => number,
        double number => (long)number,
        _ => throw new ChatTemplateException($"The template needs a number and got {Kind(value)} {Repr(value)}."),
    };

    public static double Float(object? value) => value is double number ? number : Integer(value);

    public static bool IsNumber(object? value) => value is long or double or bool;

    public static IEnumerable<object?> Items(object? value) => value switch
    {
        List<object?> list => list,
        JinjaMap map => map.Keys.ToList(),
        string text => text.EnumerateRunes().Select(rune => (object?)rune.ToString()),
        JinjaUndefined => [],
        _ => throw new ChatTemplateException($"The template iterates over {Kind(value)} {Repr(value)}; expected a list, a "
            + "dictionary or text."),
    };

    public static bool Same(object? one, object? other)
    {
        if (IsNumber(one) && IsNumber(other)) return one is double || other is double ? Float(one) == Float(other)
            : Integer(one) == Integer(other);
        return (one, other) switch
        {
            (null, null) or (JinjaUndefined, JinjaUndefined) => true,
            (string first, string second) => first == second,
            (List<object?> first, List<object?> second) => first is JinjaTuple == second is JinjaTuple
                && first.Count == second.Count && first.Zip(second).All(pair => Same(pair.First, pair.Second)),
            (JinjaMap first, JinjaMap second) => first.Count == second.Count
                && first.All(entry => second.TryGetValue(entry.Key, out var found) && Same(entry.Value, found)),
            _ => ReferenceEquals(one, other),
        };
    }

    public static int Compare(object? one, object? other)
    {
        if (IsNumber(one) && IsNumber(other)) return Float(one).CompareTo(Float(other));
        if (one is string first && other is string second) return string.CompareOrdinal(first, second);
        if (one is List<object?> left && other is List<object?> right)
        {
            var differing = left.Zip(right).Select(pair => Compare(pair.First, pair.Second)).FirstOrDefault(order => order != 0);
            return differing != 0 ? differing : left.Count.CompareTo(right.Count);
        }
        throw new ChatTemplateException($"The template compares {Kind(one)} {Repr(one)} with {Kind(other)} {Repr(other)}.");
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        string text => text.Contains(item as string
            ?? throw new ChatTemplateException($"The template looks for {Kind(item)} {Repr(item)} in text."),
            StringComparison.Ordinal),
        JinjaMap map => item is string key && map.ContainsKey(key),
        List<object?> list => list.Exists(other => Same(other, item)),
        JinjaUndefined => false,
        _ => throw new ChatTemplateException($"The template looks for an item in {Kind(container)} {Repr(container)}."),
    };

    public static object? Add(object? one, object? other) => (one, other) switch
    {
        (string first, string second) => first + second,
        (List<object?> first, List<object?> second) => (List<object?>)[.. first, .. second],
        _ => Arithmetic(one, other, "+"),
    };

    public static object? Arithmetic(object? one, object? other, string symbol)
    {
        if (symbol == "*" && (one, other) is (string or List<object?>, long)
            or (long, string or List<object?>)) return Repeated(one, other);
        if (!IsNumber(one) || !IsNumber(other))
            throw new ChatTemplateException($"The template computes {Kind(one)} {Repr(one)} {symbol} {Kind(other)} "
                + $"{Repr(other)}.");
        if (symbol is "/" or "//" or "%" && Float(other) == 0) throw new ChatTemplateException("The template divides by zero.");
        if (symbol == "/") return Float(one) / Float(other);
        if (one is double || other is double || (symbol == "**" && Integer(other) < 0))
        {
            var (first, second) = (Float(one), Float(other));
            return symbol switch
            {
                "+" => first + second,
                "-" => first - second,
                "*" => first * second,
                "//" => Math.Floor(first / second),
                "%" => first - (second * Math.Floor(first / second)),
                _ => Math.Pow(first, second),
            };
        }
        var (left, right) = (Integer(one), Integer(other));
        return symbol switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "//" => (long)Math.Floor((double)left / right),
            "%" => ((left % right) + right) % right,
            _ => (long)Math.Pow(left, right),
        };
    }

    public static string Kind(object? value) => value switch
    {
        null => "the value",
        JinjaUndefined undefined => $"the undefined name '{undefined.Name}'",
        bool or long or double => "the number",
        string => "the text",
        List<object?> => "the list",
        JinjaMap => "the dictionary",
        _ => "a function",
    };

    private static object Repeated(object? one, object? other)
    {
        var (what, times) = one is long count ? (other, count) : (one, Integer(other));
        var length = what is string words ? words.Length : ((List<object?>)what!).Count;
        if (times * (double)length > 1_000_000)
            throw new ChatTemplateException($"The template repeats a value {times} times; expected at most a million parts.");
        return what is string text ? new StringBuilder().Insert(0, text, (int)Math.Max(0, times)).ToString()
            : Enumerable.Repeat((List<object?>)what!, (int)Math.Max(0, times)).SelectMany(list => list).ToList();
    }

    private static object? From(JsonElement json, int depth) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => json.TryGetInt64(out var number) ? number : (object)json.GetDouble(),
        JsonValueKind.Array => json.EnumerateArray().Select(item => From((object)item, depth + 1)).ToList(),
        JsonValueKind.Object => Map(json.EnumerateObject().Select(entry => (entry.Name, From((object)entry.Value, depth + 1)))),
        _ => null,
    };

    private static string Quoted(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var unit in text)
            result.Append(unit switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\\' => "\\\\",
                _ when unit == quote => $"\\{unit}",
                < ' ' or '\x7F' => $"\\x{(int)unit:x2}",
                _ => unit.ToString(),
            });
        return result.Append(quote).ToString();
    }
}
