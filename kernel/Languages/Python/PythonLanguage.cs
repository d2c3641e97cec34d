using System.Collections.Concurrent;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.Python.Values;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>
/// Python cells, in an ipykernel of their own that starts with the first of them and shares variables by value.
/// </summary>
/// <param name="folder">The current folder of the cells: the notebook's.</param>
public sealed class PythonLanguage(string folder) : ILanguage, IVariables, IDisposable
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "python";

    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, PythonOutputs> late = new(StringComparer.Ordinal);
    private readonly PythonTraceback traceback = new();
    private readonly SemaphoreSlim turn = new(1);
    private PythonKernel? kernel;
    private volatile string running = "";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["py", "python3"];

    /// <inheritdoc/>
    public ICodeServices Services => new PythonServices(() => kernel is { Ending: null } ? kernel : null);

    /// <summary>
    /// The variables that cells gave values to, each value as a short text: <see cref="GetAsync"/> brings the value itself.
    /// </summary>
    public IReadOnlyList<Variable> Variables
    {
        get
        {
            if (kernel is null) return [];
            using var patience = new CancellationTokenSource(Glance);
            try
            {
                return Task.Run(() => WithKernelAsync(one => new PythonValues(one).ListAsync(patience.Token), patience.Token))
                    .GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(
                    $"Python is busy with {running}: it could not list its variables within {Glance.TotalSeconds:0} seconds.");
            }
        }
    }

    /// <summary>Runs a cell. Its last expression is shown by Python itself, so that no value comes back.</summary>
    /// <inheritdoc/>
    public async Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        var scope = CellScope.Current;
        await TakeTurnAsync(context).ConfigureAwait(false);
        try
        {
            running = context.Name;
            var one = await KernelAsync(context.Note, context.Cancellation).ConfigureAwait(false);
            var cell = new PythonCell(one, scope, context, traceback);
            await cell.RunAsync(code, id => late[id] = cell.Outputs).ConfigureAwait(false);
            return CellValue.None;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="KeyNotFoundException">There is no such variable.</exception>
    /// <exception cref="NotSupportedException">Its value cannot be shared; the message names its type.</exception>
    public async Task<object?> GetAsync(string name, CancellationToken cancellation)
    {
        if (kernel is null)
            throw new KeyNotFoundException($"There is no variable '{name}' in Python, where no cell has run yet.");
        return await WithKernelAsync(one => new PythonValues(one).GetAsync(name, cancellation), cancellation)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task SetAsync(string name, object? value, CancellationToken cancellation) =>
        await WithKernelAsync(
            async one =>
            {
                await new PythonValues(one).SetAsync(name, value, cancellation).ConfigureAwait(false);
                return true;
            },
            cancellation).ConfigureAwait(false);

    /// <summary>Ends Python.</summary>
    public void Dispose()
    {
        kernel?.Dispose();
        turn.Dispose();
    }

    private async Task<T> WithKernelAsync<T>(Func<PythonKernel, Task<T>> action, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await action(await KernelAsync(Console.WriteLine, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>A cell that did not stop when it was interrupted still holds Python; a second interrupt takes it away.</summary>
    private async Task TakeTurnAsync(CellContext context)
    {
        if (await turn.WaitAsync(TimeSpan.FromMilliseconds(500), context.Cancellation).ConfigureAwait(false)) return;
        context.Note(
            $"Python still runs {running}, which did not stop. This cell waits for it; to interrupt this cell ends Python.");
        try
        {
            await turn.WaitAsync(context.Cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            kernel?.Kill();
            throw;
        }
    }

    /// <summary>The running Python, or a new one.</summary>
    private async Task<PythonKernel> KernelAsync(Action<string> note, CancellationToken cancellation)
    {
        if (kernel is { Ending: null }) return kernel;
        if (kernel is { Ending: { } ending })
        {
            note($"Python had ended ({ending}). It starts again, without the variables of before.");
            kernel.Dispose();
            kernel = null;
            traceback.Forget();
        }
        var python = await PythonFinder.FindAsync(Environment.GetEnvironmentVariable, note, cancellation).ConfigureAwait(false);
        return kernel = await PythonKernel.StartAsync(python, folder, Late, cancellation).ConfigureAwait(false);
    }

    private void Late(Message message)
    {
        if (message.ParentHeader.Text("msg_id") is { } id && late.TryGetValue(id, out var outputs)) outputs.Show(message);
    }
}
