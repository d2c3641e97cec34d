using System.Globalization;

namespace ResearchKit.Training;

/// <summary>Folder and file names of runs.</summary>
public static class RunFolders
{
    private const string SeriesExtension = ".jsonl";

    /// <summary>Returns a folder named after the start time that does not exist yet; it is not created.</summary>
    /// <param name="parent">The parent folder.</param>
    /// <param name="started">When the run began, in UTC.</param>
    public static string Unused(string parent, DateTime started)
    {
        var time = started.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        return Enumerable.Range(1, int.MaxValue)
            .Select(number => Path.Combine(parent, Numbered(time, number))).First(free => !Directory.Exists(free));
    }

    /// <summary>
    /// Returns the folder of a new run: the one that <see cref="RunRecord.FolderVariable"/> names, else a new one below
    /// <c>runs/name</c>.
    /// </summary>
    /// <returns>Full path of the folder. A new folder is created, by rank 0 only.</returns>
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

    /// <exception cref="ArgumentException">The name is not a valid file name.</exception>
    internal static void CheckSeriesName(string name)
    {
        if (name.Length == 0 || name != Path.GetFileName(name) || name is "." or "..")
            throw new ArgumentException($"The name of the series is '{name}'; expected a valid file name.", nameof(name));
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
