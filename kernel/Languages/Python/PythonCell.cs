using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Protocol.Client;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>One execution of a cell by an ipykernel.</summary>
internal sealed class PythonCell(PythonKernel kernel, CellScope? scope, CellContext context, PythonTraceback traceback)
{
    private static readonly TimeSpan ExitTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to wait before an input request is shown: earlier output arrives on another channel and may be
    /// later than the request.
    /// </summary>
    private static readonly TimeSpan PrintingTime = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private readonly PythonOutputs outputs = new(scope);
    private bool isRunning;
    private bool isToStop;

    /// <summary>The outputs of the cell, which also receive messages after its end.</summary>
    public PythonOutputs Outputs => outputs;

    /// <summary>Runs the cell to its end.</summary>
    /// <param name="code">The cell's code.</param>
    /// <param name="sent">Receives the id of the request.</param>
    /// <exception cref="CellException">The cell threw, or its Python process ended.</exception>
    /// <exception cref="OperationCanceledException">The cell was interrupted before it started.</exception>
    public async Task RunAsync(string code, Action<string> sent)
    {
        using var request = kernel.Send("execute_request", new()
        {
            ["code"] = PythonCode.Of(code),
            ["silent"] = false,
            ["store_history"] = true,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = scope?.Input is not null,
            ["stop_on_error"] = false,
        });
        sent(request.Id);
        using var asked = context.Cancellation.Register(Stop);
        JsonObject? error = null;
        try
        {
            Message? question = null;
            for (var next = request.NextAsync(); ; next = request.NextAsync())
            {
                if (question is not null && await Task.WhenAny(next, Task.Delay(PrintingTime)).ConfigureAwait(false) != next)
                {
                    Ask(question);
                    question = null;
                }
                if (await next.ConfigureAwait(false) is not { } message) break;
                if (message.Type == "execute_input") Begin(message);
                else if (message.Type == "input_request") question = message;
                else if (message.Type == "error") error = message.Content;
                else outputs.Show(message);
            }
        }
        catch (IOException)
        {
            throw kernel.Gone();
        }
        finally
        {
            lock (gate) isRunning = false;
        }
        if (PythonOutputs.Exits(request.Reply)) await Task.WhenAny(kernel.Ended, Task.Delay(ExitTime)).ConfigureAwait(false);
        End(request, error);
    }

    private void End(KernelRequest request, JsonObject? error)
    {
        var stopped = context.Cancellation.IsCancellationRequested;
        if (request.Reply is null && stopped)
            throw new OperationCanceledException("The cell was interrupted.", context.Cancellation);
        if (request.Reply is not { } reply) throw CellException.Plain("PythonFailed", "ipykernel did not reply to the cell.");
        outputs.ShowPages(reply);
        if (error is null && reply.Content.Text("status") == "error") error = reply.Content;
        if (error is null) return;
        var cause = stopped && error.Text("ename") is "KeyboardInterrupt" or "CancelledError"
            ? new OperationCanceledException("The cell was interrupted.", context.Cancellation) : null;
        throw traceback.Describe(error, context.Name, cause);
    }

    /// <summary>
    /// Records that the cell has started, and sends an interrupt that was requested earlier. If it had been sent
    /// then, it would be lost or would interrupt ipykernel itself.
    /// </summary>
    private void Begin(Message input)
    {
        if (input.Content.Number("execution_count") is { } count) traceback.Know(count, context.Name);
        lock (gate)
        {
            isRunning = true;
            if (isToStop) kernel.Interrupt();
        }
    }

    private void Stop()
    {
        lock (gate)
        {
            isToStop = true;
            if (isRunning) kernel.Interrupt();
        }
    }

    private void Ask(Message question)
    {
        var ask = scope?.Input;
        scope?.Outputs?.FlushAll();
        try
        {
            kernel.Answer(question,
                ask?.Invoke(question.Content.Text("prompt") ?? "", question.Content.Flag("password", false)) ?? "");
        }
        catch (OperationCanceledException)
        {
            // the cell was interrupted, which Python is told separately
        }
    }
}
