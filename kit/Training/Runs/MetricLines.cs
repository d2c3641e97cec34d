using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResearchKit.Training;

/// <summary>The reports of a run as lines of JSON, each in the file before the caller sees its report.</summary>
/// <remarks>
/// <c>foreach (var report in trainer.Run().WriteTo("runs/study/metrics.jsonl")) …</c>. Times are seconds; numbers that JSON has no word for
/// are the texts "NaN", "Infinity" and "-Infinity".
/// </remarks>
public static class MetricLines
{
    /// <summary>What a series is called where nothing else is said.</summary>
    internal const string DefaultName = "metrics";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        Converters = { new Seconds() },
    };

    /// <summary>Passes the reports on and writes each as a line.</summary>
    /// <param name="reports">The reports of one run.</param>
    /// <param name="path">
    /// The file; its folder is made. A resumed run goes on behind the step it was resumed from: lines of steps that it takes again are
    /// dropped. Before a run from the start a file that is there is moved aside, to <c>name.1.jsonl</c> and so on.
    /// </param>
    /// <exception cref="IOException">The file cannot be written, or another run is writing it. The step is done; no half line stays.</exception>
    public static IEnumerable<StepReport> WriteTo(this IEnumerable<StepReport> reports, string path)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Written(reports, Path.GetFullPath(path));
    }

    /// <summary>
    /// The same into the run's own folder: <c>adamw.jsonl</c> beside its record, which names the file. Of several ranks only
    /// rank 0 writes.
    /// </summary>
    /// <param name="reports">The reports of one run.</param>
    /// <param name="run">The run.</param>
    /// <param name="name">The series, where a run has several.</param>
    /// <exception cref="ArgumentException">No file can have this name.</exception>
    public static IEnumerable<StepReport> WriteTo(
        this IEnumerable<StepReport> reports, RunRecorder run, string name = DefaultName)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(run);
        RunFolders.CheckSeriesName(name);
        return run.IsWritten ? Written(reports, run, name) : reports;
    }

    /// <summary>The reports in a file; a last line that a kill cut off is left out.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">A line before the last is no report.</exception>
    public static IReadOnlyList<StepReport> Read(string path)
    {
        var lines = File.ReadAllLines(path);
        var reports = new List<StepReport>(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (Parse(lines[i]) is { } report) reports.Add(report);
            else if (i < lines.Length - 1) throw new InvalidDataException($"{path}, line {i + 1}: expected a step's report as JSON, found \"{lines[i][..Math.Min(60, lines[i].Length)]}\".");
        }
        return reports;
    }

    private static IEnumerable<StepReport> Written(IEnumerable<StepReport> reports, RunRecorder run, string name)
    {
        foreach (var report in Written(reports, run.SeriesFile(name))) yield return report;
    }

    private static IEnumerable<StepReport> Written(IEnumerable<StepReport> reports, string path)
    {
        FileStream? file = null;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var held = RunLock.Take($"{path}.lock", $"Another run writes its numbers to {path}; name another file.");
        try
        {
            foreach (var report in reports)
            {
                file ??= Continue(path, report.FirstStep);
                Append(file, [.. JsonSerializer.SerializeToUtf8Bytes(report, Json), (byte)'\n']);
                yield return report;
            }
        }
        finally
        {
            file?.Dispose();
            held.Dispose();
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

    /// <summary>Opens the file behind the line of a step.</summary>
    private static FileStream Continue(string path, int step)
    {
        if (step == 0 && File.Exists(path)) File.Move(path, Aside(path));
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        using var reader = new StreamReader(file, leaveOpen: true);
        var kept = 0L;
        while (reader.ReadLine() is { } line && Parse(line) is { } report && report.Step <= step) kept += System.Text.Encoding.UTF8.GetByteCount(line) + 1;
        var unended = kept > file.Length;   // a kill just before the end of a line
        if (!unended) file.SetLength(kept);
        file.Position = file.Length;
        if (unended) file.WriteByte((byte)'\n');
        return file;
    }

    private static string Aside(string path) => Enumerable.Range(1, int.MaxValue)
        .Select(i => Path.ChangeExtension(path, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{i}{Path.GetExtension(path)}"))).First(free => !File.Exists(free));

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
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TimeSpan.FromSeconds(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteNumberValue(value.TotalSeconds);
    }
}
