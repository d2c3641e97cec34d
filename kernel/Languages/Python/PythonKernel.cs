using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Protocol.Client;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>A running ipykernel.</summary>
internal sealed class PythonKernel : IDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60), EndTime = TimeSpan.FromSeconds(2);
    private readonly PythonFolder folder;
    private readonly PythonProcess process;
    private KernelClient client = null!;   // set by StartAsync
    private int disposed;

    private PythonKernel(PythonFolder folder, PythonProcess process)
    {
        (this.folder, this.process) = (folder, process);
        _ = WatchAsync();
    }

    /// <summary>The folder for the exchange with the Python process.</summary>
    public PythonFolder Folder => folder;

    /// <summary>A description of how the process ended; null while it runs.</summary>
    public string? Ending => process.Ended.IsCompleted ? process.Ended.Result : null;

    /// <summary>Completes when the process has ended.</summary>
    public Task Ended => process.Ended;

    /// <summary>Starts an ipykernel and waits until it is ready.</summary>
    /// <param name="python">The path of a Python interpreter with ipykernel.</param>
    /// <param name="work">The working directory.</param>
    /// <param name="late">Receives messages about requests that have ended.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="CellException">
    /// The process ended during the start, or did not become ready in time.
    /// </exception>
    public static async Task<PythonKernel> StartAsync(
        string python, string work, Action<Message> late, CancellationToken cancellation)
    {
        var folder = new PythonFolder();
        PythonKernel? kernel = null;
        try
        {
            kernel = new PythonKernel(folder, new PythonProcess(python, folder, work));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(StartTime);
            try
            {
                var ready = kernel.ConnectAsync(late, patience.Token);
                if (await Task.WhenAny(ready, kernel.process.Ended).ConfigureAwait(false) == ready)
                    await ready.ConfigureAwait(false);
                else throw kernel.Gone($"{python} ended while it started");
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw kernel.Failed("PythonFailed", $"{python} did not answer within {StartTime.TotalSeconds:0} seconds.");
            }
            return kernel;
        }
        catch
        {
            if (kernel is null) folder.Dispose();
            else kernel.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request.</summary>
    public KernelRequest Send(string type, JsonObject content) => client.Send(type, content);

    /// <summary>Answers an input request of the running cell.</summary>
    public void Answer(Message question, string value) => client.Answer(question, value);

    /// <summary>Interrupts the running cell.</summary>
    public void Interrupt()
    {
        if (process.Interrupt()) _ = WakeAsync();
        else client.Send("interrupt_request", [], Channel.Control).Dispose();
    }

    /// <summary>Kills the process.</summary>
    public void Kill() => process.Kill();

    /// <summary>Returns the failure of a cell whose Python process ended.</summary>
    public CellException Gone(string what = "Python ended while the cell ran") => Failed("PythonEnded", $"{what}: {Ending}.");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        if (client is not null && !process.Ended.IsCompleted)
        {
            client.Send("shutdown_request", new() { ["restart"] = false }, Channel.Control).Dispose();
            process.Ended.Wait(EndTime);
        }
        process.Dispose();
        client?.Dispose();
        folder.Dispose();
    }

    private async Task ConnectAsync(Action<Message> late, CancellationToken cancellation)
    {
        while (true)   // wait until Python has chosen free ports and a key and written the connection file
        {
            await Task.Delay(10, cancellation).ConfigureAwait(false);
            if (!File.Exists(folder.Connection)) continue;
            try
            {
                var file = ConnectionFile.Load(folder.Connection);
                if (file.Key.Length == 0 || file.Ip != "127.0.0.1")
                    throw Failed("PythonFailed",
                        $"ipykernel listens on {file.Ip} {(file.Key.Length == 0 ? "without a key" : "with a key")}; expected "
                        + $"127.0.0.1 with a key.");
                client = new KernelClient(file, late, _ => { });
                break;
            }
            catch (Exception half) when (half is InvalidDataException or IOException)
            {
                continue;   // the file is not complete yet
            }
        }
        await client.ReadyAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends requests to wake Python's event loop: while it waits for a timer, it notices a signal only when woken
    /// by another event.
    /// </summary>
    private async Task WakeAsync()
    {
        foreach (var wait in new[] { 50, 300 })
        {
            await Task.Delay(wait).ConfigureAwait(false);
            client.Send("kernel_info_request", []).Dispose();
        }
    }

    /// <summary>
    /// Fails all open requests when the process has ended, after a delay in which its last messages arrive.
    /// </summary>
    private async Task WatchAsync()
    {
        var ending = await process.Ended.ConfigureAwait(false);
        if (Volatile.Read(ref disposed) != 0) return;
        await Task.Delay(200).ConfigureAwait(false);
        client?.Fail(new IOException($"Python ended: {ending}."));
    }

    private CellException Failed(string kind, string message)
    {
        var last = process.LastLines;
        return new CellException(kind, message, last.Count == 0 ? [message] : [message, "The "
            + "last lines of its stderr:", .. last.Select(line => $"   {line}")]);
    }
}
