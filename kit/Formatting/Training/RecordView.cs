using System.Collections;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Formatting;

/// <summary>Shows a record as a table of two columns: name and value.</summary>
public static class RecordView
{
    /// <summary>Registers how records of a type are shown, as HTML and as text.</summary>
    /// <param name="title">Title above the table.</param>
    /// <param name="rows">
    /// Name and value of each row; numbers are right-aligned, and <see cref="Html"/> is shown without encoding.
    /// </param>
    public static void Register<T>(Func<T, string> title, Func<T, IEnumerable<(string Name, object? Value)>> rows)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(rows);
        Formatters.Register<T>(record => Draw(title(record), rows(record)), record => Text(title(record), rows(record)));
    }

    /// <summary>Draws the table.</summary>
    public static Html Draw(string title, IEnumerable<(string Name, object? Value)> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var lines = rows.Select(row => Html.Of(
            $"<tr><th scope=\"row\">{row.Name}</th><td "
                + $"class=\"{(IsNumber(row.Value) ? "rk-right" : "rk-left")}\">{Cell(row.Value)}</td></tr>"));
        return Theme.Output(
            Html.Of($"<div class=\"rk-line\"><b>{title}</b></div><table class=\"rk-tab\"><tbody>{lines}</tbody></table>"));
    }

    /// <summary>Formats the table as text, without rows whose value is HTML.</summary>
    public static string Text(string title, IEnumerable<(string Name, object? Value)> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var lines = rows.Where(row => row.Value is not Html).Select(row =>
            (Name: Visible.OneLine(row.Name), Value: Visible.OneLine(Written(row.Value)), Right: IsNumber(row.Value))).ToList();
        var names = lines.Select(line => line.Name.Length).DefaultIfEmpty().Max();
        var numbers = lines.Where(line => line.Right).Select(line => line.Value.Length).DefaultIfEmpty().Max();
        string Line(string name, string value, bool right) =>
            $"  {name.PadRight(names)}  {(right ? value.PadLeft(numbers) : value)}";
        return string.Join('\n', lines.Select(line => Line(line.Name, line.Value, line.Right)).Prepend(Visible.OneLine(title)));
    }

    internal static Html Cell(object? value) => value as Html ?? Html.Of($"{Written(value)}");

    internal static bool IsNumber(object? value) =>
        value is int or long or float or double or decimal or short or byte or uint or ulong;

    internal static string Written(object? value) => value switch
    {
        null => "–",
        int or long or short or byte or uint => Numbers.Count(Convert.ToInt64(value, null)),
        float or double or decimal => Numbers.Short(Convert.ToDouble(value, null)),
        TimeSpan time => Numbers.Clock(time),
        IFormattable formattable => formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        IEnumerable items and not string => $"[{string.Join(", ", items.Cast<object?>().Select(Item))}]",
        _ => value.ToString() ?? "",
    };

    /// <summary>
    /// Formats a value in a list, without a thousands separator, which could be mistaken for a list separator.
    /// </summary>
    private static string Item(object? value) => value is int or long ? $"{value}" : Written(value);
}
