using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Languages.CSharp;
using ResearchKit.Kernel.Sessions.Globals;

namespace ResearchKit.Kernel.Sessions;

/// <summary>A running notebook: cells in, outputs out. It knows neither files nor terminals.</summary>
public sealed class Session : IDisposable
{
    private readonly CSharpLanguage language;
    private readonly SessionOutputs outputs;
    private readonly SemaphoreSlim turn = new(1);
    private readonly Task ready;
    private CellThread thread = new();

    /// <summary>Starts a session; the compiler and the kit wake up while the caller goes on.</summary>
    /// <param name="folder">The notebook's folder: where relative paths and the package settings are looked for.</param>
    /// <param name="updateInterval">The shortest time between two reports of one display; a tenth of a second where not given.</param>
    public Session(string folder, TimeSpan? updateInterval = null)
    {
        language = new CSharpLanguage(folder);
        outputs = new SessionOutputs(updateInterval ?? TimeSpan.FromMilliseconds(100));
        ConsoleRouter.Install();
        var kit = Task.Run(() => Kit.Install(value => CellFunctions.display(value).Update));
        ready = Task.WhenAll(kit, Task.Run(language.WarmUp));
    }

    /// <summary>How long an interrupted cell may take to stop before it is left behind.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Asks the person at the notebook: a prompt, and whether the answer is secret. Null where nobody can be asked.</summary>
    public Func<string, bool, string>? Input { get; set; }

    /// <summary>Answers questions about C# code that is being written.</summary>
    public ICodeServices CodeServices => language.Services;

    /// <summary>Runs one cell to its end. One at a time: a second call waits.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="count">Its execution count, by which errors name it.</param>
    /// <param name="report">
    /// Takes the outputs, one at a time, in order, on any thread; also those that the cell's leftovers give after its end.
    /// </param>
    /// <param name="cancellation">Interrupts the cell.</param>
    public async Task<CellOutcome> ExecuteAsync(string code, int count, Action<Output> report, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(report);
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        var cell = new CellOutputs(outputs, report);
        try
        {
            var stopped = await RunAsync(code, count, new CellScope(cell, Input, cancellation)).ConfigureAwait(false);
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

    /// <inheritdoc/>
    public void Dispose()
    {
        thread.Dispose();
        outputs.Dispose();
        turn.Dispose();
    }

    /// <summary>True when the cell was interrupted.</summary>
    private async Task<bool> RunAsync(string code, int count, CellScope scope)
    {
        await ready.ConfigureAwait(false);
        var cell = thread.RunAsync(() => RunPartsAsync(code, count, scope));
        try
        {
            var patience = Task.Delay(Timeout.Infinite, scope.Cancellation).ContinueWith(
                _ => Task.Delay(Grace), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
            var first = await Task.WhenAny(cell, scope.Lost, patience).ConfigureAwait(false);
            if (first == cell) return await cell.ConfigureAwait(false);
            var outputs = scope.Outputs;
            LeaveBehind(scope);
            if (first == scope.Lost) outputs?.Send(Described(language.Refused(await scope.Lost.ConfigureAwait(false), Name(count))));
            else outputs?.Send(Interrupted("The cell was interrupted; it did not stop, so it goes on unheard and the state is the one before it."));
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

    private async Task<bool> RunPartsAsync(string code, int count, CellScope scope)
    {
        scope.Enter();
        try
        {
            foreach (var part in CellPart.Split(code, CSharpLanguage.Id)) await RunPartAsync(part, count, scope).ConfigureAwait(false);
            return false;
        }
        catch (Exception stopped) when (scope.Cancellation.IsCancellationRequested && IsStop((stopped as CellException)?.InnerException ?? stopped))
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
            scope.Outputs?.Send(new ErrorOutput(error.GetType().Name, error.Message, [$"{error.GetType().FullName}: {error.Message}"]));
            return false;
        }
    }

    private static bool IsStop(Exception error) => error is OperationCanceledException or ThreadInterruptedException
        || (error is AggregateException many && many.InnerExceptions.All(IsStop));

    private static ErrorOutput Interrupted(string message) => new("KeyboardInterrupt", message, [message]);

    private static ErrorOutput Described(CellException failure) => new(failure.Kind, failure.Message, failure.Traceback, failure.Line);

    private static string Name(int count) => $"cell {count}";

    private async Task RunPartAsync(CellPart part, int count, CellScope scope)
    {
        if (part.Language is not (CSharpLanguage.Id or "c#"))
        {
            var message = $"({part.Line},1): #!{part.Language}: this kernel runs #!{CSharpLanguage.Id}.";
            throw CellException.Plain("UnknownLanguage", message, part.Line);
        }
        var context = new CellContext(Name(count), Console.WriteLine, scope.Cancellation)
        {
            Run = code => ControlledCode.Run(code, Grace, scope.Cancellation),
        };
        var value = await language.RunAsync(part.Code, context).ConfigureAwait(false);
        if (!value.Exists || value.Value is DisplayedValue) return;
        var shown = Formatted.Of(value.Value, []);
        scope.Outputs?.Send(new ResultOutput(shown.Data, count));
        scope.Outputs?.Send(shown.Error);
    }
}
