using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The output folder of a run, and the three files in it: notebook, page and record.</summary>
internal sealed class RunFolder
{
    private RunFolder(string path, string name) => (FullPath, this.name) = (path, name);

    private readonly string name;

    public string FullPath { get; }

    public string Notebook => Path.Combine(FullPath, $"{name}.ipynb");

    public string Page => Path.Combine(FullPath, $"{name}.html");

    public string Record => Path.Combine(FullPath, RunRecord.FileName);

    /// <summary>Chooses the folder without creating it.</summary>
    /// <exception cref="ArgumentException">The run would write over the notebook that it reads.</exception>
    public static RunFolder For(string notebook, string? output, DateTimeOffset started)
    {
        var name = Path.GetFileNameWithoutExtension(notebook);
        var path = output is not null ? Path.GetFullPath(output)
            : RunFolders.Unused(Path.GetFullPath(Path.Combine("runs", name)), started.UtcDateTime);
        var folder = new RunFolder(path, name);
        if (folder.Notebook == Path.GetFullPath(notebook))
            throw new ArgumentException($"--output is the folder of the notebook {notebook}, which the run would replace; "
                + "expected another folder.");
        if (File.Exists(folder.FullPath)) throw new ArgumentException($"--output {output}: expected a folder, found a file.");
        return folder;
    }
}
