using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>Lowest, mean and highest loss of several runs at a step.</summary>
internal readonly record struct CurveRange(int Step, double Low, double Mean, double High)
{
    public CurvePoint Middle => new(Step, Mean);
}

/// <summary>Combines the runs of an experiment with several seeds into a mean and a band.</summary>
internal static class CurveBand
{
    private const int MostPoints = 200;

    /// <summary>
    /// Returns the curve of an experiment: a single run's own curve, or the mean of several runs with the band from
    /// lowest to highest.
    /// </summary>
    public static CurveSeries Of(RunGroup group)
    {
        if (group.Runs.Count == 1) return CurveSeries.Of(group.Runs[0]);
        var losses = group.Runs.Select(run => CurveSeries.PointsOf(run.Reports.Select(report => (report.Step, report.Loss))))
            .ToList();
        var heldOut = group.Runs.Select(run => CurveSeries.PointsOf(run.HeldOut)).ToList();
        var broken = losses.SelectMany(run => run).Where(point => !double.IsFinite(point.Loss))
            .OrderBy(point => point.Step).ToList();
        var band = CurveSeries.Every(Together(losses.Select(run => CurveSeries.Smoothed(CurveSeries.Finite(run)))), MostPoints);
        var bars = CurveSeries.Every(Together(heldOut.Select(CurveSeries.Finite)), MostPoints);
        return new CurveSeries(group.Title, [], [.. band.Select(range => range.Middle)], [.. bars.Select(range => range.Middle)],
            [.. broken.Take(CurveSeries.MostBroken)], broken.Count)
        { Band = band, HeldOutBand = bars };
    }

    /// <summary>Returns lowest, mean and highest loss at the steps that all runs have.</summary>
    private static List<CurveRange> Together(IEnumerable<List<CurvePoint>> each)
    {
        var runs = each.ToList();
        return [.. runs.SelectMany(run => run).GroupBy(point => point.Step, point => point.Loss)
            .Select(step => (step.Key, Losses: step.ToList())).Where(step => step.Losses.Count == runs.Count)
            .OrderBy(step => step.Key)
            .Select(step => new CurveRange(step.Key, step.Losses.Min(), step.Losses.Average(), step.Losses.Max()))];
    }
}
