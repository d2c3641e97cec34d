using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>A run record that was found on disk.</summary>
/// <param name="Place">Path of the folder as it is listed: relative to the searched folder, or as given.</param>
/// <param name="Record">The record of the folder.</param>
/// <param name="Run">One named run of the record; null if the notebook has no named run.</param>
internal sealed record FoundRun(string Place, RunRecord Record, TrainingRun? Run)
{
    private static readonly Dictionary<string, Measurement> Nothing = [];

    /// <summary>Name of the run, or of the notebook.</summary>
    public string Name => Run?.Name ?? Path.GetFileNameWithoutExtension(Record.Notebook) ?? "";

    /// <summary>Start time, in UTC.</summary>
    public DateTime Started => Run?.Started ?? Record.Started;

    /// <summary>The process that ran it.</summary>
    public RunProcess Process => Run is null ? Record.Process : Record.ProcessOf(Run);

    /// <summary>How it ended, or that it runs; null where the record does not say.</summary>
    public string? Status => Record.StatusOf(Run);

    /// <summary>Measured numbers by name.</summary>
    public IReadOnlyDictionary<string, Measurement> Metrics => Run?.Metrics ?? Nothing;

    /// <summary>Checksums of the data files that it uses.</summary>
    public IReadOnlyDictionary<string, string> Data => Process.Data
        .Where(file => Run?.Data.Any(set => file.Key.StartsWith($"{set}/", StringComparison.Ordinal)) == true).ToDictionary();

    /// <summary>Reads the runs of a folder or record; its path may be relative to a folder of runs.</summary>
    public static IEnumerable<FoundRun> Read(string path, string runs) =>
        Of(path, RunRecord.Read(Path.Exists(path) || !Path.Exists(Path.Combine(runs, path)) ? path : Path.Combine(runs, path)));

    /// <summary>The runs of a record.</summary>
    public static IEnumerable<FoundRun> Of(string place, RunRecord record) => record.Runs.Count == 0
        ? [new FoundRun(place, record, null)] : record.Runs.Select(run => new FoundRun(place, record, run));
}

/// <summary>A file that is called like a record and cannot be read as one.</summary>
internal sealed record RefusedRun(string Path, string Reason);

/// <summary>The runs below a folder.</summary>
/// <param name="Folder">The full path of the folder.</param>
/// <param name="Runs">The runs, newest first.</param>
/// <param name="Refused">The records that could not be read.</param>
internal sealed record FoundRuns(string Folder, IReadOnlyList<FoundRun> Runs, IReadOnlyList<RefusedRun> Refused)
{
    /// <summary>Searches subfolders; does not follow links, which may form cycles.</summary>
    private static readonly EnumerationOptions Everywhere = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReparsePoint,
    };

    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static FoundRuns Below(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ArgumentException($"There is no folder {folder}; expected a folder with run records, such as "
                + "researchkit run writes.");
        var full = Path.GetFullPath(folder);
        var (runs, refused) = (new List<FoundRun>(), new List<RefusedRun>());
        foreach (var file in Directory.EnumerateFiles(full, RunRecord.FileName, Everywhere))
        {
            try
            {
                runs.AddRange(FoundRun.Of(Path.GetRelativePath(full, Path.GetDirectoryName(file)!), RunRecord.Read(file)));
            }
            catch (Exception wrong) when (wrong is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                refused.Add(new RefusedRun(file, wrong.Message));
            }
        }
        return new FoundRuns(
            full, [.. runs.OrderByDescending(run => run.Started).ThenBy(run => run.Place, StringComparer.Ordinal)],
            [.. refused.OrderBy(one => one.Path, StringComparer.Ordinal)]);
    }
}
