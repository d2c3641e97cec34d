using System.Globalization;

namespace ResearchKit.Native;

/// <summary>Stores the result of a self-check in a file, for later processes on the same machine.</summary>
/// <remarks>
/// The file has plain lines, because a JSON reader would take longer to start than everything else here. A
/// damaged file, or one of another processor, library version or number of threads, is ignored. If the folder
/// cannot be written, each process repeats the check.
/// </remarks>
internal static class KernelCache
{
    /// <summary>Name of the environment variable with the folder for files that the kit can create again.</summary>
    public const string FolderVariable = "RESEARCHKIT_CACHE";
    private const string Format = "researchkit kernels 1";

    /// <summary>Returns the path of the file for a machine.</summary>
    public static string PathFor(string key) =>
        Path.Combine(Folder(), string.Create(CultureInfo.InvariantCulture, $"kernels-{Hash(key):x8}.txt"));

    /// <summary>Reads the stored result for the machine with this key; null for none.</summary>
    public static KernelTable? Read(string key)
    {
        try
        {
            var path = PathFor(key);
            if (!File.Exists(path)) return null;
            var lines = File.ReadAllLines(path);
            if (lines.Length < 2 || lines[0] != Format || lines[1] != key) return null;
            var table = KernelTable.Defaults with
            {
                Source =
                $"self-check of {File.GetLastWriteTimeUtc(path):yyyy-MM-dd}, cached in {path}"
            };
            foreach (var line in lines.Skip(2))
            {
                var parts = line.Split('\t');
                if (!KernelTable.Known[parts[0]].Contains(parts[1])) return null;
                table = table.With(new KernelChoice(parts[0], parts[1], Number(parts[2]), Number(parts[3])));
            }
            return lines.Length - 2 == KernelTable.Known.Count ? table : null;
        }
        catch (Exception error) when (error
            is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException or KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Stores a result if the folder can be written.</summary>
    public static void Write(string key, KernelTable table)
    {
        var path = PathFor(key);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var lines = table.Choices.Select(choice =>
                string.Create(CultureInfo.InvariantCulture,
                    $"{choice.Operation}\t{choice.Kernel}\t{choice.Gain:R}\t{choice.Error:R}"));
            AtomicWrite.To(path, temporary => File.WriteAllLines(temporary, [Format, key, .. lines]));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // the next process checks again
        }
    }

    private static string Folder() => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } data
            ? data : Path.GetTempPath(), "researchkit");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>FNV-1a hash for the file name; the file contains the key itself.</summary>
    private static uint Hash(string key) => key.Aggregate(2166136261, (hash, letter) => (hash ^ letter) * 16777619);
}
