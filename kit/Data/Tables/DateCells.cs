using System.Globalization;

namespace ResearchKit.Data;

/// <summary>Reads cells as points in time.</summary>
internal static class DateCells
{
    private static readonly string[] Times = ["", " HH:mm", " HH:mm:ss", " HH:mm:ss.FFFFFFF", "'T'HH:mm", "'T'HH:mm:ss",
        "'T'HH:mm:ss.FFFFFFF", "'T'HH:mmK", "'T'HH:mm:ssK", "'T'HH:mm:ss.FFFFFFFK", " HH:mm:ssK", " HH:mm:ss.FFFFFFFK"];

    private static readonly string[] IsoDays = WithTimes("yyyy-MM-dd", "yyyy/M/d"), PointDays = WithTimes("d.M.yyyy"),
        NamedMonths = WithTimes("d MMM yyyy", "MMM d, yyyy", "d MMMM yyyy", "MMMM d, yyyy", "dd-MMM-yyyy"),
        DayFirst = WithTimes("d/M/yyyy", "d-M-yyyy"), MonthFirst = WithTimes("M/d/yyyy", "M-d-yyyy");

    /// <summary>
    /// Returns the cells as points in time; null if one is none, or if day and month cannot be told apart. Times with a zone
    /// become UTC.
    /// </summary>
    /// <param name="cells">The cells; null is a missing value.</param>
    /// <param name="format">Format of all cells; null to detect it.</param>
    public static DateTime?[]? Parse(IReadOnlyList<string?> cells, string? format)
    {
        var present = cells.Where(cell => cell is not null).Select(cell => cell!).ToList();
        if (present.Count == 0) return null;
        if (format is not null) return All(cells, [format]);
        if (!present[0].Any(char.IsAsciiDigit) || present[0].Length < 6) return null;
        foreach (var formats in new[] { IsoDays, PointDays, NamedMonths })
            if (All(cells, formats) is { } dates) return dates;
        var (days, months) = (All(cells, DayFirst), All(cells, MonthFirst));
        return days is null ? months : months is null || days.SequenceEqual(months) ? days : null;
    }

    private static DateTime?[]? All(IReadOnlyList<string?> cells, string[] formats)
    {
        var dates = new DateTime?[cells.Count];
        for (var row = 0; row < dates.Length; row++)
        {
            if (cells[row] is not { } cell) continue;
            if (!DateTime.TryParseExact(cell, formats, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal
                | DateTimeStyles.AssumeUniversal, out var date)) return null;
            dates[row] = date;
        }
        return dates;
    }

    private static string[] WithTimes(params string[] days) => [.. days.SelectMany(day => Times.Select(time => day + time))];
}
