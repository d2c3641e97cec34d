using System.Globalization;
using System.Text;

namespace ResearchKit.Data;

/// <summary>The functions that a template finds.</summary>
internal static class JinjaGlobals
{
    private const int LongestRange = 100_000;

    public static JinjaScope Scope(DateTime now)
    {
        var scope = new JinjaScope(new JinjaRun());
        scope.Set("raise_exception", (JinjaFunction)(a => throw new ChatTemplateException(a.Text(0, "message", ""))));
        scope.Set("strftime_now", (JinjaFunction)(a => Time(now, a.Text(0, "format", "%Y-%m-%d"))));
        scope.Set("range", (JinjaFunction)Range);
        scope.Set("namespace", (JinjaFunction)(a => Dictionary(a, isNamespace: true)));
        scope.Set("dict", (JinjaFunction)(a => Dictionary(a, isNamespace: false)));
        return scope;
    }

    private static JinjaMap Dictionary(JinjaArguments arguments, bool isNamespace)
    {
        var map = new JinjaMap { IsNamespace = isNamespace };
        if (arguments.Values.Count > 0 && arguments.Values[0] is JinjaMap first)
            foreach (var (key, value) in first) map[key] = value;
        foreach (var (key, value) in arguments.Named) map[key] = value;
        return map;
    }

    private static List<object?> Range(JinjaArguments arguments)
    {
        var bounds = arguments.Values.Select(JinjaValues.Integer).ToArray();
        var (start, stop, step) = bounds switch
        {
            [var end] => (0, end, 1),
            [var begin, var end] => (begin, end, 1),
            [var begin, var end, var by] when by != 0 => (begin, end, by),
            _ => throw new ChatTemplateException($"The template calls range with {bounds.Length} arguments; expected 1 to 3 "
                + "and no step of 0."),
        };
        var count = Math.Max(0, (long)Math.Ceiling((stop - start) / (double)step));
        if (count > LongestRange)
            throw new ChatTemplateException($"The template takes a range of {count:N0}; expected at most {LongestRange:N0}.");
        return Enumerable.Range(0, (int)count).Select(at => (object?)(start + (at * step))).ToList();
    }

    /// <summary>Writes a time in the format of C's <c>strftime</c>, in English.</summary>
    private static string Time(DateTime now, string format)
    {
        var result = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }
            var bare = format[++at] == '-' && at + 1 < format.Length;
            if (bare) at++;
            var text = format[at] switch
            {
                'd' => now.ToString("dd", CultureInfo.InvariantCulture),
                'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                'm' => now.ToString("MM", CultureInfo.InvariantCulture),
                'y' => now.ToString("yy", CultureInfo.InvariantCulture),
                'Y' => now.ToString("yyyy", CultureInfo.InvariantCulture),
                'b' or 'h' => now.ToString("MMM", CultureInfo.InvariantCulture),
                'B' => now.ToString("MMMM", CultureInfo.InvariantCulture),
                'a' => now.ToString("ddd", CultureInfo.InvariantCulture),
                'A' => now.ToString("dddd", CultureInfo.InvariantCulture),
                'H' => now.ToString("HH", CultureInfo.InvariantCulture),
                'I' => now.ToString("hh", CultureInfo.InvariantCulture),
                'M' => now.ToString("mm", CultureInfo.InvariantCulture),
                'S' => now.ToString("ss", CultureInfo.InvariantCulture),
                'p' => now.ToString("tt", CultureInfo.InvariantCulture),
                'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                'F' => now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                'T' => now.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
                'n' => "\n",
                '%' => "%",
                _ => throw new ChatTemplateException($"The template formats the time with '%{format[at]}', which is not "
                    + "supported."),
            };
            result.Append(bare ? text.TrimStart('0') : text);
        }
        return result.ToString();
    }
}
