namespace ResearchKit.Data;

/// <summary>What happens with files that cannot be read.</summary>
public enum BrokenFiles
{
    /// <summary>The first one is an exception that names it.</summary>
    Refuse,

    /// <summary>They are left out and listed with the reason. All files are read once to find them.</summary>
    Skip,
}

/// <summary>A file that was left out.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why it cannot be read.</param>
public sealed record BrokenFile(string Path, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => Reason;
}

/// <summary>Files in folders, one folder for each class.</summary>
/// <param name="Files">The files.</param>
/// <param name="Labels">Class of each file; indexes into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Names of the folders, in the order of numbers if they are numbers.</param>
/// <param name="Broken">The files that were left out.</param>
internal sealed record ClassFolders(IReadOnlyList<string> Files, IReadOnlyList<long> Labels, IReadOnlyList<string> ClassNames,
    IReadOnlyList<BrokenFile> Broken)
{
    /// <summary>Lists the files. Those whose names begin with a point are passed over.</summary>
    /// <param name="folder">Its sub-folders are the classes.</param>
    /// <param name="what">What is looked for, such as <c>images</c>.</param>
    /// <param name="endings">The ends of the names of such files, in lower case.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">There is no class, or one without files.</exception>
    public static ClassFolders List(string folder, string what, IReadOnlyList<string> endings)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}.");
        var names = TableSet.Classes([.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path))
            .Where(IsVisible)]);
        if (names.Count == 0)
            throw new InvalidDataException($"{folder} has no sub-folders; expected one for each class, with its {what} inside.");
        var (files, labels) = (new List<string>(), new List<long>());
        for (var label = 0; label < names.Count; label++)
        {
            string[] found = [.. Visible(Path.Combine(folder, names[label]))
                .Where(path => endings.Contains(Path.GetExtension(path).ToLowerInvariant())).Order(StringComparer.Ordinal)];
            if (found.Length == 0)
                throw new InvalidDataException($"The folder of the class '{names[label]}' in {folder} has no {what}; "
                    + $"expected files that end in {string.Join(", ", endings)}.");
            files.AddRange(found);
            labels.AddRange(Enumerable.Repeat((long)label, found.Length));
        }
        return new ClassFolders(files, labels, names, []);
    }

    /// <summary>Reads all files once and leaves out those that cannot be read.</summary>
    /// <param name="check">Reads a file; throws <see cref="InvalidDataException"/>.</param>
    /// <param name="progress">Is told the share that was read.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public ClassFolders WithoutBroken(Action<string> check, IProgress<double>? progress, CancellationToken cancellation)
    {
        var (broken, kept) = (new List<BrokenFile>(), new List<int>());
        for (var at = 0; at < Files.Count; at++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                check(Files[at]);
                kept.Add(at);
            }
            catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                broken.Add(new BrokenFile(Files[at], error.Message));
            }
            progress?.Report((at + 1.0) / Files.Count);
        }
        return Rows(kept) with { Broken = broken };
    }

    /// <summary>Divides the files at random; each class has its share in both parts.</summary>
    public (ClassFolders Train, ClassFolders Test) Split(double testShare, int seed)
    {
        var table = new Table([Column.Of("label", Labels.Select(label => (double)label)),
            Column.Of("file", Enumerable.Range(0, Files.Count).Select(number => (double)number))], "the folder");
        var (train, test) = table.Split(testShare, seed, stratify: "label");
        return (Rows([.. train["file"].Numbers().Select(number => (int)number)]),
            Rows([.. test["file"].Numbers().Select(number => (int)number)]));
    }

    /// <summary>Number of files of each class, and of those that were left out.</summary>
    public string Summary(string what) => $"{Files.Count:N0} {what}: "
        + string.Join(", ", ClassNames.Select((name, label) => $"{Labels.Count(other => other == label)} {name}"))
        + (Broken.Count > 0 ? $"; {Broken.Count} left out, which cannot be read" : "");

    private ClassFolders Rows(IReadOnlyList<int> rows) =>
        this with { Files = [.. rows.Select(row => Files[row])], Labels = [.. rows.Select(row => Labels[row])] };

    private static IEnumerable<string> Visible(string folder) => Directory.EnumerateFiles(folder).Where(IsVisible)
        .Concat(Directory.EnumerateDirectories(folder).Where(IsVisible).SelectMany(Visible));

    private static bool IsVisible(string path) => Path.GetFileName(path)[0] != '.';
}
