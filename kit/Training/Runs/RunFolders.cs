using System.Globalization;

namespace ResearchKit.Training;

/// <summary>Folder and file names of runs.</summary>
public static class RunFolders
{
    private const string SeriesExtension = ".jsonl";

    /// <summary>A folder named after the time that does not exist yet; it is not made.</summary>
    /// <param name="parent">The folder above it.</param>
    /// <param name="started">When the run began, in UTC.</param>
    public static string Unused(string parent, DateTime started)
    {
        var time = started.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        return Enumerable.Range(1, int.MaxValue)
            .Select(number => Path.Combine(parent, Numbered(time, number))).First(free => !Directory.Exists(free));
    }

    /// <summary>
    /// The folder of a run that begins: the one that <see cref="RunRecord.FolderVariable"/> names, else a new one below
    /// <c>runs/name</c>.
    /// </summary>
    /// <returns>Its full path. A new folder is made, by rank 0 only.</returns>
    internal static string Begin(string name, DateTime started)
    {
        if (Environment.GetEnvironmentVariable(RunRecord.FolderVariable) is { Length: > 0 } named) return Path.GetFullPath(named);
        var parent = Path.GetFullPath(Path.Combine("runs", name));
        while (true)
        {
            var folder = Unused(parent, started);
            if (!ProcessRank.FromEnvironment().IsFirst || IsClaimed(folder)) return folder;
        }
    }

    /// <summary>Name of the file of a series of reports, with a number where a name is taken.</summary>
    internal static string SeriesFile(string series, ICollection<string> taken) => Enumerable.Range(1, int.MaxValue)
        .Select(number => Numbered(series, number) + SeriesExtension).First(file => !taken.Contains(file));

    /// <exception cref="ArgumentException">A series cannot have this name, because no file can.</exception>
    internal static void CheckSeriesName(string name)
    {
        if (name.Length == 0 || name != Path.GetFileName(name) || name is "." or "..")
            throw new ArgumentException($"The series is called '{name}'; expected a name that a file can have.", nameof(name));
    }

    private static string Numbered(string name, int number) =>
        number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");

    /// <summary>Makes the folder with an empty record. False if another process was faster.</summary>
    private static bool IsClaimed(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            new FileStream(Path.Combine(folder, RunRecord.FileName), FileMode.CreateNew).Dispose();
            return true;
        }
        catch (IOException) when (File.Exists(Path.Combine(folder, RunRecord.FileName)))
        {
            return false;
        }
    }
}
