using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Where a run writes its three files.</summary>
internal sealed class RunFolder
{
    private RunFolder(string path, string name) => (FullPath, this.name) = (path, name);

    private readonly string name;

    public string FullPath { get; }

    public string Notebook => Path.Combine(FullPath, $"{name}.ipynb");

    public string Page => Path.Combine(FullPath, $"{name}.html");

    public string Record => Path.Combine(FullPath, "run.json");

    /// <summary>Chooses the folder; it is not created yet.</summary>
    /// <exception cref="ArgumentException">The run would write over the notebook that it reads.</exception>
    public static RunFolder For(string notebook, string? output, DateTimeOffset started)
    {
        var name = Path.GetFileNameWithoutExtension(notebook);
        var path = output is null ? Unused(Path.GetFullPath(Path.Combine("runs", name)), started) : Path.GetFullPath(output);
        var folder = new RunFolder(path, name);
        if (folder.Notebook == Path.GetFullPath(notebook))
            throw new ArgumentException($"The run would replace the notebook {notebook}; choose another --output.");
        if (File.Exists(folder.FullPath)) throw new ArgumentException($"--output {output}: expected a folder, found a file.");
        return folder;
    }

    /// <summary>A folder named after the time that does not exist yet.</summary>
    public static string Unused(string parent, DateTimeOffset started)
    {
        var stamp = started.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var path = Path.Combine(parent, stamp);
        for (var n = 2; Directory.Exists(path); n++) path = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{stamp}-{n}"));
        return path;
    }
}
