using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>A validated run that has not started: nothing has been written yet.</summary>
/// <param name="Request">The request, with its output folder set.</param>
/// <param name="Run">The run itself.</param>
internal sealed record PlannedRun(RunRequest Request, NotebookRun Run)
{
    /// <summary>The notebook's path as given by the user.</summary>
    public string Name => Request.Notebook;

    /// <summary>Plans one run per notebook. The output folders have the same hierarchy as the notebooks.</summary>
    /// <param name="notebooks">The notebooks.</param>
    /// <param name="like">The request whose options all runs share.</param>
    /// <param name="parametersOf">
    /// The parameters of each notebook; null if all have those of <paramref name="like"/>.
    /// </param>
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
               let folder = like.Output is { } output
                   ? Path.Combine(output, below) : RunFolders.Unused(Path.Combine("runs", below), now)
               select Planned(Of(path, folder), place),
        ];
    }

    /// <summary>Validates one request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="place">What error messages call the output folder, such as <c>--output results</c>.</param>
    private static PlannedRun Planned(RunRequest request, string place)
    {
        var run = NotebookRun.Prepare(request);
        WritablePlace.RequireFolder(run.Folder.FullPath, place);
        return new PlannedRun(request with { Output = run.Folder.FullPath }, run);
    }

    /// <summary>Returns the report of the run.</summary>
    public RunReport Report() => RunReport.Read(Name, Request.Notebook, Run.Folder);
}
