using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>A point of a loss curve.</summary>
internal readonly record struct CurvePoint(int Step, double Loss);

/// <summary>
/// The curve of a run as drawn: thinned out and smoothed, with the steps that could not be drawn.
/// </summary>
/// <param name="Name">Name of the run.</param>
/// <param name="Raw">
/// Losses of the steps; if there are many, the lowest and the highest of each interval.
/// </param>
/// <param name="Smooth">Moving average of the losses.</param>
/// <param name="HeldOut">Losses on held-out data.</param>
/// <param name="Broken">The first steps whose loss is NaN or infinite.</param>
/// <param name="BrokenCount">Number of steps whose loss is NaN or infinite.</param>
internal sealed record CurveSeries(
    string Name, IReadOnlyList<CurvePoint> Raw, IReadOnlyList<CurvePoint> Smooth, IReadOnlyList<CurvePoint> HeldOut,
    IReadOnlyList<CurvePoint> Broken, int BrokenCount)
{
    private const int MostPoints = 400;
    public const int MostBroken = 20;

    /// <summary>Range of the smoothed losses of several seeds; empty for a single run.</summary>
    public IReadOnlyList<CurveRange> Band { get; init; } = [];

    /// <summary>Range of the held-out losses of several seeds; empty for a single run.</summary>
    public IReadOnlyList<CurveRange> HeldOutBand { get; init; } = [];

    public static CurveSeries Of(TrainingHistory history) => Thinned(history, MostPoints);

    /// <param name="history">The run.</param>
    /// <param name="most">Maximum number of points of the raw line; the other lines get half of it.</param>
    public static CurveSeries Thinned(TrainingHistory history, int most)
    {
        var all = PointsOf(history.Reports.Select(report => (report.Step, report.Loss)));
        var finite = Finite(all);
        var heldOut = Finite(PointsOf(history.HeldOut));
        var broken = all.Where(point => !double.IsFinite(point.Loss)).ToList();
        return new CurveSeries(
            history.Name, Extremes(finite, most), Every(Smoothed(finite), most / 2), Every(heldOut, most / 2),
            [.. broken.Take(MostBroken)], broken.Count);
    }

    /// <summary>All points that are drawn, for the range of the axes.</summary>
    public IEnumerable<CurvePoint> Points => Raw.Concat(HeldOut)
        .Concat(Band.Concat(HeldOutBand)
            .SelectMany(range => new CurvePoint[] { new(range.Step, range.Low), new(range.Step, range.High) }));

    public static List<CurvePoint> PointsOf(IEnumerable<(int Step, double Loss)> points) =>
        [.. points.Select(point => new CurvePoint(point.Step, point.Loss))];

    public static List<CurvePoint> Finite(List<CurvePoint> points) => [.. points.Where(point => double.IsFinite(point.Loss))];

    /// <summary>
    /// Returns a moving average over about a thirtieth of the run, centred on each step, except at the end, so that
    /// it does not lag behind.
    /// </summary>
    public static List<CurvePoint> Smoothed(List<CurvePoint> points)
    {
        var side = points.Count / 60;
        var sums = new double[points.Count + 1];
        for (var index = 0; index < points.Count; index++) sums[index + 1] = sums[index] + points[index].Loss;
        return [.. points.Select((point, index) =>
        {
            // at the start: symmetric, because the loss falls fast
            var left = Math.Min(side, index);
            // at the end: all steps that are left, to stay smooth
            var right = Math.Min(left, points.Count - 1 - index);
            return point with { Loss = (sums[index + right + 1] - sums[index - left]) / (left + right + 1) };
        })];
    }

    /// <summary>
    /// Keeps the lowest and the highest point of each interval, in order, so that no spike is lost.
    /// </summary>
    private static List<CurvePoint> Extremes(List<CurvePoint> points, int most)
    {
        if (points.Count <= most) return points;
        var stretch = (points.Count + (most / 2) - 1) / (most / 2);
        return [.. points.Chunk(stretch).SelectMany(part =>
            new[] { part.MinBy(point => point.Loss), part.MaxBy(point => point.Loss) }.OrderBy(point => point.Step).Distinct())];
    }

    /// <summary>Returns at most <paramref name="most"/> points at equal distances, including the last.</summary>
    public static List<T> Every<T>(List<T> points, int most)
    {
        if (points.Count <= most) return points;
        var step = (points.Count + most - 2) / (most - 1);
        return [.. points.Where((_, index) => index % step == 0 && index != points.Count - 1), points[^1]];
    }
}
