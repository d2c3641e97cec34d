using System.Globalization;

namespace ResearchKit.Training;

/// <summary>Where runs lie on disk.</summary>
internal static class RunFolders
{
    private const string Extension = ".jsonl";

    /// <summary>Makes the folder of a run that begins.</summary>
    /// <returns>Its full path.</returns>
    public static string Make(string name, DateTime started)
    {
        var folder = Environment.GetEnvironmentVariable(RunRecord.FolderVariable) is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Unused(Path.GetFullPath(Path.Combine("runs", name)),
                started.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        return Directory.CreateDirectory(folder).FullName;
    }

    /// <summary>The file of a series of reports.</summary>
    public static string SeriesFile(string folder, string name) => Path.Combine(folder, name + Extension);

    /// <summary>
    /// Names of the series, without those of earlier runs that were moved aside: <c>name.1.jsonl</c> beside <c>name.jsonl</c>.
    /// </summary>
    public static IReadOnlyList<string> SeriesIn(string folder)
    {
        var names = Directory.EnumerateFiles(folder, $"*{Extension}")
            .Select(file => Path.GetFileNameWithoutExtension(file)).ToHashSet();
        return [.. names.Where(name => !(int.TryParse(Path.GetExtension(name).TrimStart('.'), out _)
            && names.Contains(Path.GetFileNameWithoutExtension(name)))).Order(StringComparer.Ordinal)];
    }

    /// <summary>A folder called after the time that is not there yet: runs that begin within a second have one each.</summary>
    private static string Unused(string parent, string time) => Enumerable.Range(1, int.MaxValue)
        .Select(number => Path.Combine(parent, number == 1 ? time
            : string.Create(CultureInfo.InvariantCulture, $"{time}-{number}"))).First(free => !Directory.Exists(free));
}
