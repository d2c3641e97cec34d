namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The notebooks that a command line names.</summary>
/// <param name="Paths">The files, as given on the command line or found in its folders.</param>
/// <param name="IsOne">Whether exactly one file was named, and no folder.</param>
internal sealed record NotebookList(IReadOnlyList<string> Paths, bool IsOne)
{
    private static readonly EnumerationOptions NoLinks = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint,
        IgnoreInaccessible = true,
    };

    /// <summary>Expands the given paths: a folder becomes all notebooks at any depth in it, sorted.</summary>
    /// <exception cref="ArgumentException">A folder contains no notebook, or a notebook is given twice.</exception>
    /// <exception cref="FileNotFoundException">There is no such file or folder.</exception>
    public static NotebookList Of(IReadOnlyList<string> given)
    {
        var paths = given.SelectMany(path => Directory.Exists(path) ? In(path) : [Existing(path)]).ToList();
        var twice = paths.GroupBy(Real).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
            throw new ArgumentException($"The notebook {twice.First()} is named twice; expected each notebook once.");
        return new NotebookList(paths, given.Count == 1 && !Directory.Exists(given[0]));
    }

    /// <summary>Returns the deepest folder that contains all notebooks.</summary>
    public string CommonFolder()
    {
        var folders = Paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!).ToList();
        var common = folders[0];
        while (folders.Any(folder =>
            folder != common
            && !folder.StartsWith(Path.TrimEndingDirectorySeparator(common) + Path.DirectorySeparatorChar,
                StringComparison.Ordinal)))
            common = Path.GetDirectoryName(common) ?? throw new ArgumentException($"The notebooks {Paths[0]} and "
                + $"{Paths[^1]} are on different drives; expected all notebooks on one drive.");
        return common;
    }

    private static List<string> In(string folder)
    {
        List<string> found = [.. Below(folder).Order(StringComparer.Ordinal)];
        if (found.Count == 0)
            throw new ArgumentException($"The folder {folder} holds no notebook (*.ipynb); expected at least one.");
        return found;
    }

    /// <summary>
    /// Returns the notebooks at any depth, except those in <c>runs</c> and hidden folders; links to folders are not
    /// followed, since they may form cycles.
    /// </summary>
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
