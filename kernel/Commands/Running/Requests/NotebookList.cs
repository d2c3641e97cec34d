namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The notebooks that a command line names.</summary>
/// <param name="Paths">The files, as given or found.</param>
/// <param name="IsOne">Whether exactly one file was named, and no folder.</param>
internal sealed record NotebookList(IReadOnlyList<string> Paths, bool IsOne)
{
    private static readonly EnumerationOptions NoLinks = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = true,
    };

    /// <summary>Files stand for themselves; a folder for the notebooks in it and below, sorted.</summary>
    /// <exception cref="ArgumentException">A folder holds none, or one is named twice.</exception>
    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    public static NotebookList Of(IReadOnlyList<string> given)
    {
        var paths = given.SelectMany(path => Directory.Exists(path) ? In(path) : [Existing(path)]).ToList();
        var twice = paths.GroupBy(Real).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null) throw new ArgumentException($"The notebook {twice.First()} is named twice; expected each once.");
        return new NotebookList(paths, given.Count == 1 && !Directory.Exists(given[0]));
    }

    /// <summary>The folder that holds them all.</summary>
    public string CommonFolder()
    {
        var folders = Paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!).ToList();
        var common = folders[0];
        while (folders.Any(folder =>
            folder != common
            && !folder.StartsWith(Path.TrimEndingDirectorySeparator(common) + Path.DirectorySeparatorChar,
                StringComparison.Ordinal)))
            common = Path.GetDirectoryName(common)
                ?? throw new ArgumentException(
                    $"The notebooks {Paths[0]} and {Paths[^1]} are on different drives; expected one.");
        return common;
    }

    private static List<string> In(string folder)
    {
        List<string> found = [.. Below(folder).Order(StringComparer.Ordinal)];
        if (found.Count == 0)
            throw new ArgumentException($"The folder {folder} holds no notebook (*.ipynb); expected at least one.");
        return found;
    }

    /// <summary>Leaves out what runs wrote, what is hidden, and links, which may go in circles.</summary>
    private static IEnumerable<string> Below(string folder) =>
        Directory.EnumerateFiles(folder, "*.ipynb").Where(path => !IsHidden(path))
            .Concat(Directory.EnumerateDirectories(folder, "*", NoLinks)
                .Where(path => !IsHidden(path) && Path.GetFileName(path) != "runs").SelectMany(Below));

    private static bool IsHidden(string path) => Path.GetFileName(path).StartsWith('.');

    private static string Existing(string path) => File.Exists(path) ? path
        : throw new FileNotFoundException($"There is no notebook {path}.", path);

    private static string Real(string path) =>
        new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
}
