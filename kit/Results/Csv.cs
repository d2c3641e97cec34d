using System.Globalization;

namespace ResearchKit.Results;

/// <summary>Writes comma-separated values (RFC 4180): lines end with a line feed, numbers are exact.</summary>
internal static class Csv
{
    /// <summary>Writes lines of fields.</summary>
    public static string Write(IEnumerable<IEnumerable<string>> lines) =>
        string.Concat(lines.Select(line => string.Join(',', line.Select(Field)) + "\n"));

    /// <summary>Writes a number so that reading it gives the same bits; nothing for NaN.</summary>
    public static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Field(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 && text == text.Trim() ? text
        : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
