using System.Globalization;

namespace ResearchKit.Formatting;

/// <summary>An axis of a plot: its range, its grid lines, and the position of a value in pixels.</summary>
internal sealed class CurveAxis
{
    private readonly double low;
    private readonly double high;
    private readonly double start;
    private readonly double end;
    private readonly double step;

    /// <param name="low">Smallest value of the axis.</param>
    /// <param name="high">Largest value of the axis.</param>
    /// <param name="start">Position of the smallest value in pixels.</param>
    /// <param name="end">Position of the largest value in pixels.</param>
    /// <param name="ticks">Approximate number of grid lines.</param>
    /// <param name="whole">Whether ticks must be whole numbers.</param>
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

    /// <summary>Round values in the range, where grid lines are drawn.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            var first = Math.Ceiling(low / step);
            for (var tick = 0; tick < 40 && (first + tick) * step <= high + (step * 1e-9); tick++)
                yield return (first + tick) * step;
        }
    }

    /// <summary>Returns the position of a value in pixels.</summary>
    public double At(double value) => start + ((end - start) * ((value - low) / (high - low)));

    /// <summary>Returns the label of a grid line, with enough digits to distinguish neighbouring ones.</summary>
    public string Label(double tick)
    {
        if (Math.Abs(tick) < step / 2) return "0";
        if (Math.Abs(tick) is >= 1e7 or < 1e-4) return tick.ToString("0.##e0", CultureInfo.InvariantCulture);
        var digits = Math.Clamp(-(int)Math.Floor(Math.Log10(step)), 0, 8);
        return tick.ToString("N" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Rounds a step to 1, 2 or 5 times a power of ten.</summary>
    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}
