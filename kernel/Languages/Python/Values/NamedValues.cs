using System.Globalization;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Dates, times, decimals and GUIDs: values that have a type of their own in both languages, as text.</summary>
internal static class NamedValues
{
    private const string Day = "yyyy-MM-dd";
    private const string Hour = "HH:mm:ss.ffffff";
    private const string Moment = $"{Day}'T'{Hour}";

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>Returns Python's kind of a value, and its text; null for other values.</summary>
    public static (string? Kind, string Text) TryWrite(object value) => value switch
    {
        decimal number => ("decimal", number.ToString(Invariant)),
        DateTime { Kind: DateTimeKind.Utc } time => ("datetime", $"{time.ToString(Moment, Invariant)}+00:00"),
        DateTime time => ("datetime", time.ToString(Moment, Invariant)),
        DateTimeOffset time => ("datetime", time.ToString($"{Moment}zzz", Invariant)),
        DateOnly date => ("date", date.ToString(Day, Invariant)),
        TimeOnly time => ("time", time.ToString(Hour, Invariant)),
        TimeSpan span => ("timedelta", (span.Ticks / TimeSpan.TicksPerMicrosecond).ToString(Invariant)),
        Guid id => ("uuid", id.ToString()),
        _ => (null, ""),
    };

    /// <summary>Returns the .NET value of a kind; null for other kinds.</summary>
    /// <exception cref="NotSupportedException">The value is outside of the range of the .NET type.</exception>
    public static object? Read(string kind, string text)
    {
        try
        {
            return kind switch
            {
                "decimal" => decimal.Parse(text, NumberStyles.Float, Invariant),
                "datetime" when text.Length > "2024-01-02T00:00:00.000000".Length =>
                    DateTimeOffset.ParseExact(text, $"{Moment}zzz", Invariant),
                "datetime" => DateTime.ParseExact(text, Moment, Invariant),
                "date" => DateOnly.ParseExact(text, Day, Invariant),
                "time" => TimeOnly.ParseExact(text, Hour, Invariant),
                "timedelta" => TimeSpan.FromTicks(checked(long.Parse(text, Invariant) * TimeSpan.TicksPerMicrosecond)),
                "uuid" => Guid.Parse(text),
                _ => null,
            };
        }
        catch (Exception refused) when (refused is FormatException or OverflowException)
        {
            throw new NotSupportedException($"The Python {kind} {text} has no value of that kind in .NET.", refused);
        }
    }
}
