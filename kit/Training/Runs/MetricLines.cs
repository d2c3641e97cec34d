using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResearchKit.Training;

/// <summary>
/// Writes and reads the reports of a run as JSON lines; each line is written before the caller sees its report.
/// </summary>
/// <remarks>
/// <c>foreach (var report in trainer.Run().WriteTo("runs/study/metrics.jsonl")) …</c>. Times are in seconds.
/// Numbers that JSON cannot represent are the strings "NaN", "Infinity" and "-Infinity".
/// </remarks>
public static class MetricLines
{
    /// <summary>Default name of a series.</summary>
    internal const string DefaultName = "metrics";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        Converters = { new Seconds() },
    };

    /// <summary>Passes the reports through and writes each as a line.</summary>
    /// <param name="reports">The reports of one run.</param>
    /// <param name="path">
    /// The file; its folder is created if needed. A resumed run appends after the step from which it resumed; lines
    /// of later steps are removed. A run that starts from step 0 first renames an existing file to
    /// <c>name.1.jsonl</c> and so on.
    /// </param>
    /// <exception cref="IOException">
    /// The file cannot be written, or another run is writing it. The step was taken; no partial line remains.
    /// </exception>
    public static IEnumerable<StepReport> WriteTo(this IEnumerable<StepReport> reports, string path)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Written(reports, Path.GetFullPath(path));
    }

    /// <summary>
    /// Like <see cref="WriteTo(IEnumerable{StepReport}, string)"/>, but writes to the run's folder, such as
    /// <c>adamw.jsonl</c>. The record names the file. Of several ranks only rank 0 writes.
    /// </summary>
    /// <param name="reports">The reports of one run.</param>
    /// <param name="run">The run.</param>
    /// <param name="name">Name of the series, if a run has several.</param>
    /// <exception cref="ArgumentException">The name is not a valid file name.</exception>
    public static IEnumerable<StepReport> WriteTo(
        this IEnumerable<StepReport> reports, RunRecorder run, string name = DefaultName)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(run);
        RunFolders.CheckSeriesName(name);
        return run.IsWritten ? Written(reports, run, name) : reports;
    }

    /// <summary>
    /// Reads the reports in a file; an incomplete last line, left by a killed process, is ignored.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">A line before the last is not a report.</exception>
    public static IReadOnlyList<StepReport> Read(string path)
    {
        var lines = File.ReadAllLines(path);
        var reports = new List<StepReport>(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (Parse(lines[i]) is { } report) reports.Add(report);
            else if (i < lines.Length - 1)
                throw new InvalidDataException($"{path}, line {i + 1}: expected a step's report as JSON, found "
                    + $"\"{lines[i][..Math.Min(60, lines[i].Length)]}\".");
        }
        return reports;
    }

    /// <summary>A report as a line of JSON in UTF-8, with its line end.</summary>
    internal static byte[] Line(StepReport report) => [.. JsonSerializer.SerializeToUtf8Bytes(report, Json), (byte)'\n'];

    private static IEnumerable<StepReport> Written(IEnumerable<StepReport> reports, RunRecorder run, string name)
    {
        using var steps = Written(reports, run.SeriesFile(name)).GetEnumerator();
        var (status, last) = (RunStatusNames.Stopped, default(StepReport));
        try
        {
            while (Next(steps, run))
            {
                last = steps.Current;
                run.Measure(last, name);
                yield return last;
            }
        }
        finally
        {
            if (last.Step >= last.Steps) status = RunStatusNames.Succeeded;
            if (run.Run.Status != RunStatusNames.Failed) run.End(status);
        }
    }

    private static IEnumerable<StepReport> Written(IEnumerable<StepReport> reports, string path)
    {
        FileStream? file = null;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var held = RunLock.Take($"{path}.lock", $"Another run writes its reports to {path}; choose another file.");
        try
        {
            foreach (var report in reports)
            {
                file ??= Continue(path, report.FirstStep);
                Append(file, Line(report));
                yield return report;
            }
        }
        finally
        {
            file?.Dispose();
            held.Dispose();
        }
    }

    /// <summary>Takes the next step; the record says so if it fails.</summary>
    private static bool Next(IEnumerator<StepReport> steps, RunRecorder run)
    {
        try
        {
            return steps.MoveNext();
        }
        catch (Exception error)
        {
            run.End(error is OperationCanceledException ? RunStatusNames.Stopped : RunStatusNames.Failed, error);
            throw;
        }
    }

    private static void Append(FileStream file, byte[] line)
    {
        var end = file.Position;
        try
        {
            file.Write(line);
        }
        catch (IOException)
        {
            file.SetLength(end);
            file.Position = end;
            throw;
        }
    }

    /// <summary>Opens the file for appending after the line of a step.</summary>
    private static FileStream Continue(string path, int step)
    {
        if (step == 0 && File.Exists(path)) File.Move(path, Aside(path));
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        using var reader = new StreamReader(file, leaveOpen: true);
        var kept = 0L;
        while (reader.ReadLine() is { } line && Parse(line) is { } report && report.Step <= step)
            kept += System.Text.Encoding.UTF8.GetByteCount(line) + 1;
        var unended = kept > file.Length;   // the process was killed just before it wrote the line end
        if (!unended) file.SetLength(kept);
        file.Position = file.Length;
        if (unended) file.WriteByte((byte)'\n');
        return file;
    }

    private static string Aside(string path) => Enumerable.Range(1, int.MaxValue)
        .Select(i => Path.ChangeExtension(path,
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{i}{Path.GetExtension(path)}")))
            .First(free => !File.Exists(free));

    private static StepReport? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<StepReport>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class Seconds : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TimeSpan.FromSeconds(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value.TotalSeconds);
    }
}
