using System.Globalization;

namespace ResearchKit.Formatting;

/// <summary>An axis: its range, the places of its grid lines, and where a value lies on the page.</summary>
internal sealed class CurveAxis
{
    private readonly double low;
    private readonly double high;
    private readonly double start;
    private readonly double end;
    private readonly double step;

    /// <param name="low">Smallest value to be shown.</param>
    /// <param name="high">Largest value to be shown.</param>
    /// <param name="start">Place of the smallest on the page.</param>
    /// <param name="end">Place of the largest on the page.</param>
    /// <param name="ticks">Grid lines wanted, about.</param>
    /// <param name="whole">Whether only whole numbers make sense.</param>
    public CurveAxis(double low, double high, double start, double end, int ticks, bool whole = false)
    {
        if (!(high > low))
        {
            low = low - (Math.Abs(low) / 2) - 0.5;
            high = high + (Math.Abs(high) / 2) + 0.5;
        }
        this.low = low;
        this.high = high;
        this.start = start;
        this.end = end;
        step = Math.Max(whole ? 1 : 0, NiceStep((high - low) / ticks));
    }

    /// <summary>Round values in the range.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            var first = Math.Ceiling(low / step);
            for (var tick = 0; tick < 40 && (first + tick) * step <= high + (step * 1e-9); tick++)
                yield return (first + tick) * step;
        }
    }

    /// <summary>Where a value lies on the page.</summary>
    public double At(double value) => start + ((end - start) * ((value - low) / (high - low)));

    /// <summary>A grid line's number, with as many digits as tell neighbours apart.</summary>
    public string Label(double tick)
    {
        if (Math.Abs(tick) < step / 2) return "0";
        if (Math.Abs(tick) is >= 1e7 or < 1e-4) return tick.ToString("0.##e0", CultureInfo.InvariantCulture);
        var digits = Math.Clamp(-(int)Math.Floor(Math.Log10(step)), 0, 8);
        return tick.ToString("N" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>1, 2 or 5 times a power of ten.</summary>
    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}
