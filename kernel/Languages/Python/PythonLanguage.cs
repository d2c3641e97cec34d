using System.Collections.Concurrent;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.Python.Values;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>
/// Python cells. They run in an ipykernel process, which starts with the first cell and exchanges variables by
/// value.
/// </summary>
/// <param name="folder">The working directory of the cells: the notebook's folder.</param>
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
    /// The variables of the cells, with each value as a short text; <see cref="GetAsync"/> returns the value
    /// itself.
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

    /// <summary>Runs a cell. Python displays the last expression itself, so no value is returned.</summary>
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
    /// <exception cref="NotSupportedException">
    /// The type of the value cannot be shared; the message names it.
    /// </exception>
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

    /// <summary>Ends the Python process.</summary>
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

    /// <summary>
    /// Waits for Python, which may still be running an earlier cell that ignored its interrupt. Interrupting this
    /// wait kills the Python process.
    /// </summary>
    private async Task TakeTurnAsync(CellContext context)
    {
        if (await turn.WaitAsync(TimeSpan.FromMilliseconds(500), context.Cancellation).ConfigureAwait(false)) return;
        context.Note($"Python still runs {running}, which did not stop. This cell waits for it; interrupting "
            + "this cell ends Python.");
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

    /// <summary>Returns the running Python, or starts one.</summary>
    private async Task<PythonKernel> KernelAsync(Action<string> note, CancellationToken cancellation)
    {
        if (kernel is { Ending: null }) return kernel;
        if (kernel is { Ending: { } ending })
        {
            note($"Python had ended ({ending}). It starts again, without its earlier variables.");
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
