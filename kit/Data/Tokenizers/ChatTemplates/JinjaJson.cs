using System.Globalization;
using System.Text;

namespace ResearchKit.Data;

/// <summary>Writes values as Python's <c>json.dumps</c> does, without escaping other than ASCII characters.</summary>
internal static class JinjaJson
{
    public static string Write(object? value, JinjaArguments arguments)
    {
        var indent = arguments.Get(1, "indent") switch
        {
            long width => new string(' ', (int)Math.Clamp(width, 0, 100)),
            string text => text,
            _ => null,
        };
        var separators = arguments.Get(2, "separators") as List<object?>;
        var ascii = arguments.Get(0, "ensure_ascii") is true;
        var result = new StringBuilder();
        Append(result, value, new Layout(indent, separators is [string item, _] ? item : indent is null ? ", " : ",",
            separators is [_, string key] ? key : ": ", ascii, JinjaValues.IsTrue(arguments.Get(3, "sort_keys"))), 0);
        return result.ToString();
    }

    private static void Append(StringBuilder to, object? value, Layout layout, int depth)
    {
        switch (value)
        {
            case null: to.Append("null"); break;
            case bool flag: to.Append(flag ? "true" : "false"); break;
            case long number: to.Append(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number:
                to.Append(double.IsFinite(number) ? JinjaValues.Number(number) : double.IsNaN(number) ? "NaN"
                : number > 0 ? "Infinity" : "-Infinity"); break;
            case string text: AppendText(to, text, layout.Ascii); break;
            case List<object?> list:
                Container(to, '[', ']', list, layout, depth, item => Append(to, item, layout, depth + 1));
                break;
            case JinjaMap map:
                var entries = layout.SortKeys ? map.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList() : map.ToList();
                Container(to, '{', '}', entries, layout, depth, entry =>
                {
                    AppendText(to, entry.Key, layout.Ascii);
                    to.Append(layout.KeySeparator);
                    Append(to, entry.Value, layout, depth + 1);
                });
                break;
            default: throw new ChatTemplateException($"The template writes {JinjaValues.Kind(value)} as JSON; expected a value.");
        }
    }

    private static void Container<T>(StringBuilder to, char open, char close, List<T> items, Layout layout, int depth,
        Action<T> append)
    {
        if (depth > 100)
            throw new ChatTemplateException("The template writes a value that is nested more than 100 deep as JSON.");
        to.Append(open);
        for (var at = 0; at < items.Count; at++)
        {
            if (at > 0) to.Append(layout.ItemSeparator);
            NewLine(depth + 1);
            append(items[at]);
        }
        if (items.Count > 0) NewLine(depth);
        to.Append(close);

        void NewLine(int level)
        {
            if (layout.Indent is not { } indent) return;
            to.Append('\n');
            for (var count = 0; count < level; count++) to.Append(indent);
        }
    }

    private static void AppendText(StringBuilder to, string text, bool ascii)
    {
        to.Append('"');
        foreach (var unit in text)
            to.Append(unit switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)unit:x4}",
                >= '\x7F' when ascii && unit > '\x7F' => $"\\u{(int)unit:x4}",
                _ => unit.ToString(),
            });
        to.Append('"');
    }

    private sealed record Layout(string? Indent, string ItemSeparator, string KeySeparator, bool Ascii, bool SortKeys);
}
