using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>A run that was found possible: nothing of it is written yet.</summary>
/// <param name="Request">What was asked, with the folder to write to.</param>
/// <param name="Run">The run itself.</param>
internal sealed record PlannedRun(RunRequest Request, NotebookRun Run)
{
    /// <summary>The notebook as the person called it.</summary>
    public string Name => Request.Notebook;

    /// <summary>
    /// The requests of several notebooks: below the folder to write to they lie as the notebooks lie below theirs.
    /// </summary>
    /// <param name="notebooks">The notebooks.</param>
    /// <param name="like">What each is asked.</param>
    /// <param name="parametersOf">The parameters of each, where they are not the same.</param>
    public static IReadOnlyList<PlannedRun> All(
        NotebookList notebooks, RunRequest like, Func<string, IReadOnlyDictionary<string, string>>? parametersOf = null)
    {
        RunRequest Of(string path, string? output) =>
            like with { Notebook = path, Output = output, Parameters = parametersOf?.Invoke(path) ?? like.Parameters };
        var place = like.Output is null ? "runs" : $"--output {like.Output}";
        if (notebooks.IsOne) return [Planned(Of(notebooks.Paths[0], like.Output), place)];
        var common = notebooks.CommonFolder();
        var now = DateTime.UtcNow;
        return
        [
            .. from path in notebooks.Paths
               let below = Path.ChangeExtension(Path.GetRelativePath(common, Path.GetFullPath(path)), null)
               let folder = like.Output is { } output ? Path.Combine(output, below) : RunFolders.Unused(Path.Combine("runs", below), now)
               select Planned(Of(path, folder), place),
        ];
    }

    /// <summary>Checks one request.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="place">How the command line calls the folder to write to.</param>
    private static PlannedRun Planned(RunRequest request, string place)
    {
        var run = NotebookRun.Prepare(request);
        WritablePlace.RequireFolder(run.Folder.FullPath, place);
        return new PlannedRun(request with { Output = run.Folder.FullPath }, run);
    }

    /// <summary>What came of it.</summary>
    public RunReport Report(string? lastWords = null) => RunReport.Read(Name, Request.Notebook, Run.Folder, lastWords);
}
