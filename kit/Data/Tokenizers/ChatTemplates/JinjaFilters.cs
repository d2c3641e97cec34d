using System.Globalization;

namespace ResearchKit.Data;

/// <summary>Filters of templates, as in <c>value | trim</c>.</summary>
internal static class JinjaFilters
{
    public static Dictionary<string, Func<object?, JinjaArguments, object?>> All { get; } = new(StringComparer.Ordinal)
    {
        ["trim"] = (value, a) => JinjaMethods.Trimmed(JinjaValues.Text(value), a.Get(0, "chars") as string),
        ["tojson"] = JinjaJson.Write,
        ["upper"] = (value, _) => JinjaValues.Text(value).ToUpperInvariant(),
        ["lower"] = (value, _) => JinjaValues.Text(value).ToLowerInvariant(),
        ["title"] = (value, _) => JinjaMethods.Title(JinjaValues.Text(value)),
        ["capitalize"] = (value, _) => JinjaMethods.Capitalized(JinjaValues.Text(value)),
        ["length"] = (value, _) => Length(value),
        ["count"] = (value, _) => Length(value),
        ["string"] = (value, _) => JinjaValues.Text(value),
        ["safe"] = (value, _) => value,
        ["escape"] = (value, _) => Escaped(value),
        ["e"] = (value, _) => Escaped(value),
        ["default"] = Default,
        ["d"] = Default,
        ["join"] = Join,
        ["replace"] = (value, a) => JinjaMethods.Replaced(JinjaValues.Text(value), a.Text(0, "old", ""), a.Text(1, "new", ""),
            a.Integer(2, "count")),
        ["first"] = (value, _) => JinjaValues.Items(value).FirstOrDefault(new JinjaUndefined("the first item")),
        ["last"] = (value, _) => JinjaValues.Items(value).LastOrDefault(new JinjaUndefined("the last item")),
        ["list"] = (value, _) => JinjaValues.Items(value).ToList(),
        ["reverse"] = (value, _) => value is string text ? string.Concat(JinjaValues.Items(text).Reverse())
            : JinjaValues.Items(value).Reverse().ToList(),
        ["unique"] = Unique,
        ["sort"] = Sort,
        ["sum"] = (value, a) => Attributed(value, a.Get(0, "attribute")).Aggregate(a.Get(1, "start", 0L), JinjaValues.Add),
        ["min"] = (value, _) => Extreme(value, -1),
        ["max"] = (value, _) => Extreme(value, 1),
        ["abs"] = (value, _) => value is double number ? Math.Abs(number) : (object)Math.Abs(JinjaValues.Integer(value)),
        ["int"] = Integer,
        ["float"] = (value, a) => JinjaValues.IsNumber(value) ? JinjaValues.Float(value)
            : double.TryParse(value as string, CultureInfo.InvariantCulture, out var number) ? number : a.Get(0, "default", 0.0),
        ["round"] = Round,
        ["items"] = (value, _) => value is JinjaMap map ? JinjaMethods.Find(map, "items")!(JinjaArguments.None)
            : new List<object?>(),
        ["dictsort"] = (value, _) => value is JinjaMap map
            ? map.OrderBy(entry => entry.Key.ToLowerInvariant(), StringComparer.Ordinal)
                .Select(entry => (object?)new JinjaTuple([entry.Key, entry.Value])).ToList()
            : throw new ChatTemplateException($"The template sorts {JinjaValues.Kind(value)} as a dictionary."),
        ["attr"] = (value, a) => JinjaAccess.Attribute(value, a.Text(0, "name", "")),
        ["indent"] = Indent,
        ["wordcount"] = (value, _) => (long)JinjaValues.Text(value).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Length,
        ["map"] = Map,
        ["select"] = (value, a) => Selected(value, a, byAttribute: false, wanted: true),
        ["reject"] = (value, a) => Selected(value, a, byAttribute: false, wanted: false),
        ["selectattr"] = (value, a) => Selected(value, a, byAttribute: true, wanted: true),
        ["rejectattr"] = (value, a) => Selected(value, a, byAttribute: true, wanted: false),
        ["batch"] = (value, a) => JinjaValues.Items(value).Chunk((int)Math.Clamp(a.Integer(0, "linecount") ?? 1, 1, 1_000_000))
            .Select(chunk => (object?)chunk.ToList()).ToList(),
    };

    private static long Length(object? value) => value switch
    {
        string text => JinjaValues.Items(text).Count(),
        List<object?> list => list.Count,
        JinjaMap map => map.Count,
        JinjaUndefined => 0,
        _ => throw new ChatTemplateException($"The template takes the length of {JinjaValues.Kind(value)} "
            + $"{JinjaValues.Repr(value)}."),
    };

    private static string Escaped(object? value) => JinjaValues.Text(value).Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static object? Default(object? value, JinjaArguments a) =>
        value is JinjaUndefined || (JinjaValues.IsTrue(a.Get(1, "boolean")) && !JinjaValues.IsTrue(value))
            ? a.Get(0, "default_value", "") : value;

    private static string Join(object? value, JinjaArguments a) =>
        string.Join(a.Text(0, "d", ""), Attributed(value, a.Get(1, "attribute")).Select(JinjaValues.Text));

    private static IEnumerable<object?> Attributed(object? value, object? attribute) => attribute is null
        ? JinjaValues.Items(value)
        : JinjaValues.Items(value).Select(item => Path(item, attribute));

    private static object? Path(object? item, object? attribute) => attribute is string path
        ? path.Split('.').Aggregate(item, (so, name) => long.TryParse(name, CultureInfo.InvariantCulture, out var index)
            ? JinjaAccess.Item(so, index) : JinjaAccess.Item(so, name))
        : JinjaAccess.Item(item, attribute);

    private static List<object?> Unique(object? value, JinjaArguments a)
    {
        var seen = new List<object?>();
        return JinjaValues.Items(value).Where(item =>
        {
            var key = a.Get(1, "attribute") is { } attribute ? Path(item, attribute) : item;
            if (key is string text && !JinjaValues.IsTrue(a.Get(0, "case_sensitive"))) key = text.ToLowerInvariant();
            if (seen.Exists(other => JinjaValues.Same(other, key))) return false;
            seen.Add(key);
            return true;
        }).ToList();
    }

    private static List<object?> Sort(object? value, JinjaArguments a)
    {
        var folds = !JinjaValues.IsTrue(a.Get(1, "case_sensitive"));
        var order = Comparer<object?>.Create(JinjaValues.Compare);
        object? Key(object? item)
        {
            var key = a.Get(2, "attribute") is { } attribute ? Path(item, attribute) : item;
            return folds && key is string text ? text.ToLowerInvariant() : key;
        }
        var items = JinjaValues.Items(value);
        return (JinjaValues.IsTrue(a.Get(0, "reverse")) ? items.OrderByDescending(Key, order) : items.OrderBy(Key, order))
            .ToList();
    }

    private static object? Extreme(object? value, int sign) => JinjaValues.Items(value)
        .Aggregate((object?)new JinjaUndefined("the extreme item"),
        (so, item) => so is JinjaUndefined || sign * JinjaValues.Compare(item, so) > 0 ? item : so);

    private static object? Integer(object? value, JinjaArguments a)
    {
        if (JinjaValues.IsNumber(value)) return JinjaValues.Integer(value);
        var text = (value as string)?.Trim();
        if (long.TryParse(text, CultureInfo.InvariantCulture, out var integer)) return integer;
        return double.TryParse(text, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 9e18 ? (long)number
            : a.Get(0, "default", 0L);
    }

    private static object Round(object? value, JinjaArguments a)
    {
        var scale = Math.Pow(10, a.Integer(0, "precision") ?? 0);
        var scaled = JinjaValues.Float(value) * scale;
        return (a.Text(1, "method", "common") switch
        {
            "ceil" => Math.Ceiling(scaled),
            "floor" => Math.Floor(scaled),
            _ => Math.Round(scaled, MidpointRounding.ToEven),
        }) / scale;
    }

    private static string Indent(object? value, JinjaArguments a)
    {
        var width = a.Get(0, "width", 4L) is string text ? text
            : new string(' ', (int)Math.Clamp(a.Integer(0, "width") ?? 4, 0, 1000));
        var (first, blank) = (JinjaValues.IsTrue(a.Get(1, "first")), JinjaValues.IsTrue(a.Get(2, "blank")));
        return string.Join('\n', JinjaValues.Text(value).Split('\n').Select((line, at) =>
            (at == 0 && !first) || (at > 0 && line.Length == 0 && !blank) ? line : width + line));
    }

    private static List<object?> Map(object? value, JinjaArguments a)
    {
        if (a.Named.TryGetValue("attribute", out var attribute))
            return JinjaValues.Items(value).Select(item => Path(item, attribute) is var found && found is JinjaUndefined
                && a.Named.TryGetValue("default", out var otherwise) ? otherwise : found).ToList();
        var filter = Named(All, a.Text(0, "filter", ""), "filter");
        var rest = new JinjaArguments([.. a.Values.Skip(1)], a.Named);
        return JinjaValues.Items(value).Select(item => filter(item, rest)).ToList();
    }

    private static List<object?> Selected(object? value, JinjaArguments a, bool byAttribute, bool wanted)
    {
        var values = byAttribute ? a.Values.Skip(1).ToList() : a.Values;
        var test = values.Count > 0 ? Named(JinjaTests.All, JinjaValues.Text(values[0]), "test")
            : (item, _) => JinjaValues.IsTrue(item);
        var rest = new JinjaArguments([.. values.Skip(1)], a.Named);
        return JinjaValues.Items(value)
            .Where(item => test(byAttribute ? Path(item, a.Get(0, "attribute")) : item, rest) == wanted).ToList();
    }

    private static T Named<T>(Dictionary<string, T> all, string name, string kind) => all.TryGetValue(name, out var found) ? found
        : throw new ChatTemplateException($"The template uses the {kind} '{name}', which is not supported.");
}
