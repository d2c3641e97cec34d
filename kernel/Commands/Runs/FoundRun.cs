using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>A run on disk.</summary>
/// <param name="Name">How a person names its folder here.</param>
/// <param name="Record">What it was.</param>
internal sealed record FoundRun(string Name, RunRecord Record)
{
    /// <summary>Reads a run by the path of its folder or record, here or below a folder of runs.</summary>
    public static FoundRun Read(string path, string runs) =>
        new(path, RunRecord.Read(Path.Exists(path) || !Path.Exists(Path.Combine(runs, path)) ? path : Path.Combine(runs, path)));
}

/// <summary>A file that looks like a record and is none.</summary>
internal sealed record RefusedRun(string Path, string Reason);

/// <summary>The runs below a folder.</summary>
/// <param name="Folder">Its full path.</param>
/// <param name="Runs">The newest first.</param>
/// <param name="Refused">What could not be read.</param>
internal sealed record FoundRuns(string Folder, IReadOnlyList<FoundRun> Runs, IReadOnlyList<RefusedRun> Refused)
{
    /// <summary>Links are not followed: they may lead in a circle.</summary>
    private static readonly EnumerationOptions Everywhere = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System | FileAttributes.ReparsePoint,
    };

    /// <exception cref="ArgumentException">There is no such folder.</exception>
    public static FoundRuns Below(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ArgumentException($"There is no folder {folder} here; expected a folder with records of runs, such as researchkit run makes.");
        var full = Path.GetFullPath(folder);
        var (runs, refused) = (new List<FoundRun>(), new List<RefusedRun>());
        foreach (var file in Directory.EnumerateFiles(full, RunRecord.FileName, Everywhere))
        {
            try
            {
                runs.Add(new FoundRun(Path.GetRelativePath(full, Path.GetDirectoryName(file)!), RunRecord.Read(file)));
            }
            catch (Exception wrong) when (wrong is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                refused.Add(new RefusedRun(file, wrong.Message));
            }
        }
        return new FoundRuns(
            full, [.. runs.OrderByDescending(run => run.Record.Started).ThenBy(run => run.Name, StringComparer.Ordinal)],
            [.. refused.OrderBy(one => one.Path, StringComparer.Ordinal)]);
    }
}
