using System.Globalization;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Commands.Runs;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Kernel.Notebooks.Parameters;
using ResearchKit.Kernel.Sessions;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>One execution of a notebook, saved after every cell.</summary>
internal sealed class NotebookRun
{
    private const string AllowedToFail = "raises-exception";   // Jupyter's tag for a cell that may throw

    private readonly NotebookDocument notebook;
    private readonly RunRequest request;
    private readonly string source;
    private readonly RunFolder folder;
    private readonly NotebookRecord record;
    private readonly OutputRecorder recorder = new();
    private readonly JsonObject summary;
    private readonly Lock saving = new();
    private bool isUnsaved;

    private NotebookRun(NotebookDocument notebook, RunRequest request, string source, RunFolder folder, NotebookRecord record)
    {
        (this.notebook, this.request, this.source, this.folder, this.record) = (notebook, request, source, folder, record);
        summary = new JsonObject
        {
            ["parameters"] = record.Parameters,
            ["seconds"] = 0,
            ["started"] = record.Started.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["status"] = "running",
        };
        notebook.Metadata["researchkit"] = summary;
    }

    /// <summary>The folder that the run writes to.</summary>
    public RunFolder Folder => folder;

    /// <summary>Reads the notebook and sets its parameters; writes nothing.</summary>
    public static NotebookRun Prepare(RunRequest request)
    {
        var notebook = NotebookDocument.Load(request.Notebook);
        NotebookLanguages.Require(notebook, request.Notebook);
        var values = Set(notebook, request);
        foreach (var cell in notebook.Cells) cell.Clear();
        var (source, started) = (Path.GetFullPath(request.Notebook), DateTimeOffset.UtcNow);
        var folder = RunFolder.For(source, request.Output, started);
        return new NotebookRun(notebook, request, source, folder, new NotebookRecord(source, values, started));
    }

    /// <summary>
    /// Runs the cells. Stops on <paramref name="cancellation"/>, and at the first failure unless the request says
    /// to keep going.
    /// </summary>
    public async Task<RunResult> ExecuteAsync(IRunProgress progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder.FullPath);
        var before = (Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable(RunRecord.FolderVariable));
        Directory.SetCurrentDirectory(Path.GetDirectoryName(source)!);
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, folder.FullPath);
        try
        {
            record.Begin(folder.FullPath);
            Save(RunStatus.Running);
            var (status, failures) = await RunCellsAsync(progress, cancellation).ConfigureAwait(false);
            Save(status);
            var (name, place) = (Path.GetFileNameWithoutExtension(source), Path.GetDirectoryName(source)!);
            AtomicWrite.Text(folder.Page,
                await HtmlPage.RenderAsync(notebook, name, place, CancellationToken.None).ConfigureAwait(false));
            return new RunResult(status, [folder.Notebook, folder.Page, folder.Record], failures);
        }
        finally
        {
            Directory.SetCurrentDirectory(before.Item1);
            Environment.SetEnvironmentVariable(RunRecord.FolderVariable, before.Item2);
        }
    }

    private static IReadOnlyList<ParameterValue> Set(NotebookDocument notebook, RunRequest request)
    {
        try
        {
            var settings = new Dictionary<string, string>(request.Fast ? ParametersCell.Fast(notebook)
                : new Dictionary<string, string>());
            foreach (var (name, value) in request.Parameters) settings[name] = value;
            return ParametersCell.Inject(notebook, settings);
        }
        catch (ArgumentException refused)
        {
            throw new ArgumentException($"{request.Notebook}: {refused.Message}", refused);
        }
    }

    private async Task<(RunStatus Status, IReadOnlyList<string> Failures)> RunCellsAsync(
        IRunProgress progress, CancellationToken cancellation)
    {
        var cells = notebook.Cells.Where(cell => cell.IsRunnable).ToList();
        var failures = new List<string>();
        progress.Begin(source, cells.Count);
        using var session = new Session(Path.GetDirectoryName(source)!) { DefaultLanguage = notebook.Language ?? "csharp" };
        using var watch = new ProcessEnd((reason, words) => SaveCrash(session, reason, words), cancellation);
        // so that the time of the first cell does not include the start-up
        await session.ExecuteAsync("", 0, _ => { }, CancellationToken.None).ConfigureAwait(false);
        record.BeginCells();
        SaveBetweenCells(0, progress);
        for (var number = 1; number <= cells.Count; number++)
        {
            var cell = cells[number - 1];
            progress.CellStarted(number, TerminalText.FirstLine(cell.Source));
            var (end, error, seconds) = await RunCellAsync(session, cell, number, progress, cancellation).ConfigureAwait(false);
            record.AddCell(cell, number, seconds, end, error);
            SaveBetweenCells(number, progress);
            progress.CellEnded(number, seconds, end.ToString().ToLowerInvariant());
            if (end == CellEnd.Interrupted) return (RunStatus.Interrupted, failures);
            if (end == CellEnd.Failed) failures.Add(FailureReport.Of(cell, number, error!));
            if (end == CellEnd.Failed && !request.KeepGoing) break;
        }
        return (failures.Count == 0 ? RunStatus.Succeeded : RunStatus.Failed, failures);
    }

    private async Task<(CellEnd End, ErrorOutput? Error, double Seconds)> RunCellAsync(
        Session session, NotebookCell cell, int number, IRunProgress progress, CancellationToken cancellation)
    {
        var language = session.LanguageOf(cell.Source, cell.Language);
        if (cell.Language is not null || language != session.DefaultLanguage) CellLanguage.Set(cell.Metadata, language);
        using var limit = new CellLimit(request.Timeout, cancellation);
        var start = DateTimeOffset.UtcNow;
        cell.ExecutionCount = number;
        var outcome = limit.Outcome(await session.ExecuteAsync(
            cell.Source, cell.Language, number, Take, limit.Token).ConfigureAwait(false), out var missing);
        if (missing is not null) Take(missing);
        var end = DateTimeOffset.UtcNow;
        lock (recorder) cell.SetTiming(start, end);
        return (End(cell, outcome), outcome.Error, (end - start).TotalSeconds);

        void Take(Output output)
        {
            lock (recorder) recorder.Record(cell, limit.Told(output));
            if (output is UpdateOutput update && update.Data.GetValueOrDefault("text/plain") is { } text)
                progress.Status(TerminalText.OneLine(text));
        }
    }

    /// <summary>The tag <c>raises-exception</c> excuses the cell's own exceptions, not a timeout.</summary>
    private static CellEnd End(NotebookCell cell, CellOutcome outcome) => outcome.Status switch
    {
        CellStatus.Succeeded => CellEnd.Succeeded,
        CellStatus.Interrupted => CellEnd.Interrupted,
        _ => cell.Tags.Contains(AllowedToFail) && outcome.Error?.Name != CellLimit.ErrorName ? CellEnd.Raised : CellEnd.Failed,
    };

    /// <summary>What the named runs measured, for readers of the notebook that do not have its record.</summary>
    private static JsonArray Measured(IReadOnlyList<TrainingRun> runs) => new([.. runs.Select(run => (JsonNode)new JsonObject
    {
        ["name"] = run.Name,
        ["seed"] = run.Seed,
        ["metrics"] = RunsJson.Node(run.Metrics),
    })]);

    /// <summary>Saves, while the process ends in a cell, what that cell gave until then.</summary>
    private void SaveCrash(Session session, string reason, string words)
    {
        saving.Enter();   // for good: the cells go on for a moment on their own thread, but the run has ended here
        session.Flush();
        lock (recorder) notebook.Save(folder.Notebook);
        CrashedRun.CompleteAsync(folder, source, reason, words).GetAwaiter().GetResult();
    }

    /// <summary>
    /// A save that fails between two cells, such as on a full disk, does not end the run; the save after the next cell may
    /// succeed.
    /// </summary>
    private void SaveBetweenCells(int number, IRunProgress progress)
    {
        try
        {
            Save(RunStatus.Running);
            isUnsaved = false;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            if (!isUnsaved)
                progress.Warning($"The outputs up to cell {number} could not be saved: {TerminalText.OneLine(failed.Message)} "
                    + "The run goes on, and saves again after the next cell.");
            isUnsaved = true;
        }
    }

    private void Save(RunStatus status)
    {
        lock (saving)
        {
            var saved = record.Save(folder.FullPath, status);
            lock (recorder)   // background work of an earlier cell may still add outputs
            {
                summary["seconds"] = saved.Seconds;
                summary["status"] = saved.Status;
                if (saved.Process.Portable) summary["portable"] = true;
                if (saved.Runs.Count > 0) summary["runs"] = Measured(saved.Runs);
                notebook.Save(folder.Notebook);
            }
        }
    }
}
