using System.Text.Json.Nodes;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Kernel.Notebooks.Parameters;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>One execution of a notebook, saved after every cell.</summary>
internal sealed class NotebookRun
{
    private const string FolderVariable = "RESEARCHKIT_RUN_FOLDER";
    private const string AllowedToFail = "raises-exception";   // Jupyter's tag

    private readonly NotebookDocument notebook;
    private readonly string source;
    private readonly RunFolder folder;
    private readonly RunRecord record;
    private readonly OutputRecorder recorder = new();
    private readonly JsonObject summary;

    private NotebookRun(NotebookDocument notebook, string source, RunFolder folder, RunRecord record)
    {
        (this.notebook, this.source, this.folder, this.record) = (notebook, source, folder, record);
        summary = new JsonObject
        {
            ["parameters"] = record.Parameters,
            ["seconds"] = 0,
            ["started"] = record.Started,
            ["status"] = "running",
        };
        notebook.Metadata["researchkit"] = summary;
    }

    /// <summary>Reads the notebook and sets its parameters; writes nothing.</summary>
    public static NotebookRun Prepare(RunRequest request)
    {
        var notebook = NotebookDocument.Load(request.Notebook);
        NotebookLanguage.Require(notebook, request.Notebook);
        var settings = new Dictionary<string, string>(request.Fast ? ParametersCell.Fast(notebook) : new Dictionary<string, string>());
        foreach (var (name, value) in request.Parameters) settings[name] = value;
        var values = ParametersCell.Inject(notebook, settings);
        foreach (var cell in notebook.Cells) cell.Clear();
        var (source, started) = (Path.GetFullPath(request.Notebook), DateTimeOffset.UtcNow);
        var folder = RunFolder.For(source, request.Output, started);
        return new NotebookRun(notebook, source, folder, new RunRecord(source, values, started));
    }

    /// <summary>Runs the cells until the end, the first failure, or <paramref name="cancellation"/>.</summary>
    public async Task<RunResult> ExecuteAsync(IRunProgress progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder.FullPath);
        var before = (Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable(FolderVariable));
        Directory.SetCurrentDirectory(Path.GetDirectoryName(source)!);
        Environment.SetEnvironmentVariable(FolderVariable, folder.FullPath);
        try
        {
            Save(RunStatus.Running);
            var (status, failure) = await RunCellsAsync(progress, cancellation).ConfigureAwait(false);
            Save(status);
            var (name, place) = (Path.GetFileNameWithoutExtension(source), Path.GetDirectoryName(source)!);
            AtomicFile.Write(folder.Page, await HtmlPage.RenderAsync(notebook, name, place, CancellationToken.None).ConfigureAwait(false));
            return new RunResult(status, [folder.Notebook, folder.Page, folder.Record], failure);
        }
        finally
        {
            Directory.SetCurrentDirectory(before.Item1);
            Environment.SetEnvironmentVariable(FolderVariable, before.Item2);
        }
    }

    private async Task<(RunStatus Status, string? Failure)> RunCellsAsync(IRunProgress progress, CancellationToken cancellation)
    {
        var cells = notebook.Cells.Where(cell => cell.IsRunnable).ToList();
        progress.Begin(source, cells.Count);
        using var session = new Session(Path.GetDirectoryName(source)!);
        for (var number = 1; number <= cells.Count; number++)
        {
            var cell = cells[number - 1];
            progress.CellStarted(number, FirstLine(cell));
            var (outcome, seconds) = await RunCellAsync(session, cell, number, progress, cancellation).ConfigureAwait(false);
            var status = outcome.Status.ToString().ToLowerInvariant();
            record.AddCell(cell, number, seconds, status);
            Save(RunStatus.Running);
            progress.CellEnded(number, seconds, status);
            if (outcome.Status == CellStatus.Interrupted) return (RunStatus.Interrupted, null);
            if (outcome is { Status: CellStatus.Failed, Error: { } error } && !cell.Tags.Contains(AllowedToFail))
                return (RunStatus.Failed, FailureReport.Of(cell, number, error));
        }
        return (RunStatus.Succeeded, null);
    }

    private async Task<(CellOutcome Outcome, double Seconds)> RunCellAsync(
        Session session, NotebookCell cell, int number, IRunProgress progress, CancellationToken cancellation)
    {
        var code = cell.Language is { } language and not "csharp" ? $"#!{language}\n{cell.Source}" : cell.Source;
        var start = DateTimeOffset.UtcNow;
        cell.ExecutionCount = number;
        var outcome = await session.ExecuteAsync(code, number, Take, cancellation).ConfigureAwait(false);
        var end = DateTimeOffset.UtcNow;
        cell.SetTiming(start, end);
        return (outcome, (end - start).TotalSeconds);

        void Take(Output output)
        {
            lock (recorder) recorder.Record(cell, output);
            if (output is UpdateOutput update && update.Data.GetValueOrDefault("text/plain") is { } text)
                progress.Status(TerminalText.OneLine(text));
        }
    }

    private void Save(RunStatus status)
    {
        summary["seconds"] = record.Seconds;
        summary["status"] = status.ToString().ToLowerInvariant();
        lock (recorder) notebook.Save(folder.Notebook);   // what a cell left behind may still write
        record.Save(folder.Record, status);
    }

    private static string FirstLine(NotebookCell cell) =>
        TerminalText.OneLine(cell.Source.ReplaceLineEndings("\n").Split('\n').First(line => !string.IsNullOrWhiteSpace(line)));
}
