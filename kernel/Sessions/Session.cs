using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;
using ResearchKit.Kernel.Kit;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.CSharp;
using ResearchKit.Kernel.Languages.FSharp;
using ResearchKit.Kernel.Languages.Markup;
using ResearchKit.Kernel.Languages.Python;
using ResearchKit.Kernel.Languages.Values;
using ResearchKit.Kernel.Sessions.Magics;

namespace ResearchKit.Kernel.Sessions;

/// <summary>
/// A running notebook: it executes cells and reports their outputs, independent of any front end.
/// </summary>
public sealed class Session : IDisposable
{
    private readonly string folder;
    private readonly SessionLanguages languages;
    private readonly SessionMagics magics;
    private readonly SessionOutputs outputs;
    private readonly SemaphoreSlim turn = new(1);
    // loading libtorch takes a second and delays other library loads, so it is deferred
    private readonly Lazy<Task> kit;
    private CellThread thread = new();

    /// <summary>
    /// Starts a session. The compiler warms up in the background; the kit is loaded when a cell first uses it.
    /// </summary>
    /// <param name="folder">The notebook's folder, for relative paths and the search for package settings.</param>
    /// <param name="updateInterval">
    /// The minimum time between two updates of one display; default: 0.1 seconds.
    /// </param>
    public Session(string folder, TimeSpan? updateInterval = null)
    {
        this.folder = folder;
        languages = new SessionLanguages(
        [
            new CSharpLanguage(folder), new FSharpLanguage(folder), new PythonLanguage(folder),
            new HtmlLanguage(), new JavaScriptLanguage(), new CssLanguage(), new MarkdownLanguage(), new MermaidLanguage(),
            new ValueLanguage(folder),
        ]);
        magics = new SessionMagics(languages, folder);
        outputs = new SessionOutputs(updateInterval ?? TimeSpan.FromMilliseconds(100));
        CodeServices = new CellCodeServices(languages, magics, CSharpLanguage.Id);
        kit = new Lazy<Task>(() => Task.Run(() => KitLoader.Load(value => CellFunctions.display(value).Update)));
        CSharpLanguage.WarmUp();
    }

    /// <summary>The default language of cells.</summary>
    public string DefaultLanguage { get; init; } = CSharpLanguage.Id;

    /// <summary>How long an interrupted cell may take to stop before it is abandoned.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Requests input from the user; the arguments are the prompt and whether the answer is secret. Null if input
    /// is not available.
    /// </summary>
    public Func<string, bool, string>? Input { get; set; }

    /// <summary>The editor services for cells.</summary>
    public ICodeServices CodeServices { get; }

    /// <inheritdoc cref="ExecuteAsync(string, string, int, Action{Output}, CancellationToken)"/>
    public Task<CellOutcome> ExecuteAsync(
        string code, int count, Action<Output> report, CancellationToken cancellation = default) =>
        ExecuteAsync(code, null, count, report, cancellation);

    /// <summary>Runs a cell to its end. Cells run one at a time: a second call waits.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="language">The language that the cell begins in; null for the session's default.</param>
    /// <param name="count">The execution count, which is the name of the cell in error messages.</param>
    /// <param name="report">
    /// Receives the outputs, one at a time, in order, on any thread. Background work of the cell may report outputs
    /// after its end.
    /// </param>
    /// <param name="cancellation">Interrupts the cell.</param>
    public async Task<CellOutcome> ExecuteAsync(
        string code, string? language, int count, Action<Output> report, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(report);
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        var cell = new CellOutputs(outputs, report);
        try
        {
            var scope = new CellScope(cell, Input, cancellation);
            var run = new CellRun(code, language ?? DefaultLanguage, count, scope, () => kit.Value);
            var stopped = await RunAsync(run).ConfigureAwait(false);
            var error = cell.End();
            return stopped ? new CellOutcome(CellStatus.Interrupted, error)
                : new CellOutcome(error is null ? CellStatus.Succeeded : CellStatus.Failed, error);
        }
        finally
        {
            cell.End();
            turn.Release();
        }
    }

    /// <summary>Gives out what the cells have written and shown and what still waits to be joined with more.</summary>
    public void Flush() => outputs.Flush();

    /// <summary>
    /// Returns the language of a cell: that of a <c>#!</c> line at its beginning, else the given or default one.
    /// </summary>
    public string LanguageOf(string code, string? language) =>
        CellPart.Split(code, Spelled(language ?? DefaultLanguage), name => languages.Find(name)?.Name)[0].Language;

    /// <inheritdoc/>
    public void Dispose()
    {
        thread.Dispose();
        languages.Dispose();
        outputs.Dispose();
        turn.Dispose();
    }

    /// <summary>Runs a cell; returns whether it was interrupted.</summary>
    private async Task<bool> RunAsync(CellRun run)
    {
        var scope = run.Scope;
        var cell = Task.Run(() => RunPartsAsync(run), CancellationToken.None);
        try
        {
            var patience = Task.Delay(Timeout.Infinite, scope.Cancellation).ContinueWith(
                _ => Task.Delay(Grace), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
            var first = await Task.WhenAny(cell, scope.Lost, patience).ConfigureAwait(false);
            if (first == cell) return await cell.ConfigureAwait(false);
            var heard = scope.Outputs;
            LeaveBehind(scope);
            if (first == scope.Lost)
                heard?.Send(Described(run.Current.Refused(await scope.Lost.ConfigureAwait(false), run.Name)));
            else heard?.Send(Interrupted("The cell was interrupted but did not stop; it goes on unheard: its "
                + "further output is discarded."));
            return first != scope.Lost;
        }
        finally
        {
            scope.Leave();
        }
    }

    private void LeaveBehind(CellScope scope)
    {
        scope.Abandon();
        thread.Dispose();
        thread = new CellThread();
    }

    private async Task<bool> RunPartsAsync(CellRun run)
    {
        var scope = run.Scope;
        ConsoleRouter.Install();
        scope.Enter();
        try
        {
            try
            {
                await RunPartsAsync(run.Code, run.Language, run).ConfigureAwait(false);
            }
            finally
            {
                EndUsings(scope);
            }
            return false;
        }
        catch (Exception stopped)
            when (scope.Cancellation.IsCancellationRequested && IsStop((stopped as CellException)?.InnerException ?? stopped))
        {
            scope.Outputs?.Send(Interrupted("The cell was interrupted."));
            return true;
        }
        catch (CellException failure)
        {
            scope.Outputs?.Send(Described(failure));
            return false;
        }
        catch (Exception error)
        {
            scope.Outputs?.Send(
                new ErrorOutput(error.GetType().Name, error.Message, [$"{error.GetType().FullName}: {error.Message}"]));
            return false;
        }
        finally
        {
            run.End();
        }
    }

    /// <summary>Ends the cell's using declarations on the thread of the cells, where libtorch keeps its scopes.</summary>
    private void EndUsings(CellScope scope)
    {
        if (scope.HasKept)
            thread.Run(() => ControlledCode.Run(scope.DisposeKeptAsync, Grace, scope.Cancellation));
    }

    private string Spelled(string language) => languages.Find(language)?.Name ?? language;

    private static bool IsStop(Exception error) => error is OperationCanceledException or ThreadInterruptedException
        || (error is AggregateException many && many.InnerExceptions.All(IsStop));

    private static ErrorOutput Interrupted(string message) => new("KeyboardInterrupt", message, [message]);

    private static ErrorOutput Described(CellException failure) =>
        new(failure.Kind, failure.Message, failure.Traceback, failure.Line);

    /// <summary>Runs the parts of a cell or an imported file one after the other.</summary>
    private async Task RunPartsAsync(string code, string language, CellRun run)
    {
        var parts = CellPart.Split(code, languages.Require(language).Name, name => languages.Find(name)?.Name);
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] is MagicPart magic)
                await magics.RunAsync(magic, run, (text, other) => RunPartsAsync(text, other, run)).ConfigureAwait(false);
            else if (parts[i] is CodePart program)
                await RunProgramAsync(program, code, run, isLast: i == parts.Count - 1).ConfigureAwait(false);
        }
    }

    private async Task RunProgramAsync(CodePart part, string cell, CellRun run, bool isLast)
    {
        run.Current = languages.Require(part.Language);
        var (scope, cells) = (run.Scope, thread);
        var context = new CellContext(run.Name, Console.WriteLine, scope.Cancellation)
        {
            Source = cell,
            Arguments = part.Arguments,
            IsFile = run.IsFile,
            Kit = run.Kit,
            RunExtension = path => RunExtensionAsync(path, run),
            Run = code => cells.Run(() => ControlledCode.Run(code, Grace, scope.Cancellation)),
        };
        var value = await run.Current.RunAsync(part.Code, context).ConfigureAwait(false);
        if (!value.Exists || value.Value is DisplayedValue) return;
        var shown = Formatted.Of(value.Value, []);
        if (isLast) scope.Outputs?.Send(new ResultOutput(shown.Data, run.Count));
        else scope.Outputs?.Send(new DisplayOutput(shown.Data, Guid.NewGuid().ToString("N")));
        scope.Outputs?.Send(shown.Note);
    }

    private async Task RunExtensionAsync(string path, CellRun run)
    {
        var before = run.Current;
        try
        {
            foreach (var (code, language) in ImportedFile.Cells(path, before.Name))
                await RunPartsAsync(code, language, run).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            run.Scope.Outputs?.Write("stderr", $"The extension {path} failed: {failed.Message}\n");
        }
        run.Current = before;
    }
}
