using static TorchSharp.torch.utils;

namespace ResearchKit.Training;

/// <summary>Writes the reports of a run to an event file for TensorBoard.</summary>
public static class TensorBoardEvents
{
    /// <summary>
    /// Passes the reports through and writes their numbers by step: <c>loss/training</c>, <c>loss/held-out</c>,
    /// <c>learning-rate</c>, <c>gradient-norm</c>, <c>tokens-per-second</c>.
    /// </summary>
    /// <param name="reports">The reports of one run.</param>
    /// <param name="folder">
    /// Folder of the event file, such as that of a run record; created if needed. Each run writes its own file, so
    /// that TensorBoard shows steps that a resumed run repeated twice.
    /// </param>
    /// <exception cref="IOException">The file cannot be written; the step was taken.</exception>
    public static IEnumerable<StepReport> WriteToTensorBoard(this IEnumerable<StepReport> reports, string folder)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Written(reports, Path.GetFullPath(folder));
    }

    private static IEnumerable<StepReport> Written(IEnumerable<StepReport> reports, string folder)
    {
        var writer = tensorboard.SummaryWriter(folder);
        foreach (var report in reports)
        {
            foreach (var (tag, value) in Numbers(report)) writer.add_scalar(tag, (float)value, report.Step);
            yield return report;
        }
    }

    private static IEnumerable<(string Tag, double Value)> Numbers(StepReport report)
    {
        yield return ("loss/training", report.Loss);
        if (report.HeldOutLoss is { } loss) yield return ("loss/held-out", loss);
        foreach (var metric in report.Metrics ?? []) yield return ($"held-out/{metric.Name}", metric.Value);
        yield return ("learning-rate", report.LearningRate);
        yield return ("gradient-norm", report.GradientNorm);
        yield return ("tokens-per-second", report.TokensPerSecond);
    }
}
