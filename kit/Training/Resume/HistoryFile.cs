using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>
/// The reports of a run, beside its checkpoints, one JSON line each, so that a resumed run has a history from the first step.
/// </summary>
/// <param name="folder">The folder of checkpoints.</param>
internal sealed class HistoryFile(string folder)
{
    private const string FileName = "history.jsonl";
    private int? written;   // lines in the file; null if they are not known to be this run's

    /// <summary>Writes the reports that the file lacks; the first call replaces the file.</summary>
    /// <param name="reports">All reports so far.</param>
    public void Write(IReadOnlyList<StepReport> reports)
    {
        var path = Path.Combine(folder, FileName);
        var known = written;
        written = null;   // a failed write may leave half a line
        if (known is { } lines)
        {
            using var file = new FileStream(path, FileMode.Append);
            for (var i = lines; i < reports.Count; i++) file.Write(MetricLines.Line(reports[i]));
        }
        else AtomicWrite.To(path, temporary =>
        {
            using var file = File.Create(temporary);
            foreach (var report in reports) file.Write(MetricLines.Line(report));
        });
        written = reports.Count;
    }

    /// <summary>Reads the reports up to a step, of the run that wrote a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="step">Its step.</param>
    /// <param name="note">Why there are none, in one sentence; null if they were read or never written.</param>
    public static IReadOnlyList<StepReport> Read(string checkpoint, int step, out string? note)
    {
        note = null;
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(checkpoint))!, FileName);
        if (!File.Exists(path)) return [];
        try
        {
            return [.. MetricLines.Read(path).Where(report => report.Step <= step)];
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            note = $"The history of the run begins anew: {error.Message}";
            return [];
        }
    }
}
