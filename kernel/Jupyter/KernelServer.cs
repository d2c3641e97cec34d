using System.Text.Json.Nodes;
using System.Threading.Channels;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Sessions;
using Channel = ResearchKit.Kernel.Protocol.Channel;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>
/// Serves a session over the Jupyter protocol: answers the front ends' requests in order and publishes the
/// session's outputs.
/// </summary>
public sealed class KernelServer : IDisposable
{
    private readonly string id = Guid.NewGuid().ToString();
    private readonly Session session;
    private readonly Channels channels;
    private readonly ExecuteRequests execute;
    private readonly CodeRequests code;
    private readonly History history = new();
    private readonly Questions questions;
    private readonly Action<string> log;
    private readonly Channel<(Channel Channel, Message Message, long Number)> shell =
        System.Threading.Channels.Channel.CreateUnbounded<(Channel, Message, long)>();
    private readonly CancellationTokenSource ending = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long received;
    private long abortedUpTo;

    /// <summary>Binds the ports. Requests are answered after <see cref="RunAsync"/> is called.</summary>
    /// <param name="file">The connection file with ports and key.</param>
    /// <param name="session">The session that runs the cells; the caller disposes it.</param>
    /// <param name="log">Receives log lines, for example about a message with a wrong signature.</param>
    /// <exception cref="IOException">A port is in use.</exception>
    public KernelServer(ConnectionFile file, Session session, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(file);
        (this.session, this.log) = (session, log);
        channels = new Channels(file, Received, message => Send(Channel.Iopub, message), log);
        questions = new Questions(Send, id);
        execute = new ExecuteRequests(session, history, questions, Publish);
        code = new CodeRequests(session);
    }

    /// <summary>Is told which request is running; null without a supervisor.</summary>
    internal Supervision? Supervision { get; init; }

    /// <summary>Answers requests until a front end asks for shutdown.</summary>
    /// <param name="cancellation">Shuts the kernel down.</param>
    public async Task RunAsync(CancellationToken cancellation = default)
    {
        using var outside = cancellation.Register(End);
        channels.Start();
        Send(Channel.Iopub, Message.Create("status", id, new() { ["execution_state"] = "starting" }, null) with
        {
            Identities = [Topic("status")],
        });
        var work = Task.Run(WorkAsync, CancellationToken.None);
        await ended.Task.ConfigureAwait(false);
        await Task.WhenAny(work, Task.Delay(TimeSpan.FromSeconds(3), CancellationToken.None)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        channels.Dispose();
    }

    private static byte[] Topic(string type) => System.Text.Encoding.UTF8.GetBytes($"kernel.researchkit.{type}");

    private void Send(Channel channel, Message message) => channels.Send(channel, message);

    private void Publish(Message request, string type, JsonObject content) =>
        Send(Channel.Iopub, Message.Create(type, id, content, request) with { Identities = [Topic(type)] });

    private void Reply(Channel channel, Message request, string type, JsonObject content) =>
        Send(channel, Message.Create(type, id, content, request) with { Identities = request.Identities });

    private void End()
    {
        shell.Writer.TryComplete();
        execute.Interrupt();
        ending.Cancel();
        ended.TrySetResult();
    }

    /// <summary>Dispatches a received message. Runs on the socket thread and must not block.</summary>
    private void Received(Channel channel, Message message)
    {
        if (channel == Channel.Stdin)
        {
            if (message.Type == "input_reply") questions.Answer(message);
        }
        else if (channel == Channel.Shell && message.Type != "shutdown_request")
        {
            shell.Writer.TryWrite((channel, message, Interlocked.Increment(ref received)));
        }
        else
        {
            _ = Task.Run(() => AnswerAsync(channel, message, long.MaxValue));
        }
    }

    private async Task WorkAsync()
    {
        await foreach (var (channel, message, number) in shell.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            if (ending.IsCancellationRequested) return;
            await AnswerAsync(channel, message, number).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Answers a request between the statuses busy and idle, as the protocol requires. An exception becomes an
    /// error reply and does not affect other requests.
    /// </summary>
    private async Task AnswerAsync(Channel channel, Message request, long number)
    {
        Publish(request, "status", new() { ["execution_state"] = "busy" });
        try
        {
            if (await ReplyTo(request, number).ConfigureAwait(false) is { } content)
                Reply(channel, request, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), content);
        }
        catch (Exception error)
        {
            log($"{request.Type}: {error}");
            var content = OutputMessages.Error(new ErrorOutput(error.GetType().Name, error.Message, [error.Message]));
            content["status"] = "error";
            Reply(channel, request, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), content);
        }
        Publish(request, "status", new() { ["execution_state"] = "idle" });
        if (request.Type == "shutdown_request") End();
    }

    /// <summary>Returns the content of the reply; null for messages without a reply.</summary>
    private async Task<JsonObject?> ReplyTo(Message request, long number)
    {
        switch (request.Type)
        {
            case "execute_request":
                return await ExecuteAsync(request, number).ConfigureAwait(false);
            case "kernel_info_request":
                return KernelInfo.Reply();
            case "complete_request":
                return await code.CompleteAsync(request.Content, ending.Token).ConfigureAwait(false);
            case "inspect_request":
                return await code.InspectAsync(request.Content, ending.Token).ConfigureAwait(false);
            case "is_complete_request":
                return code.IsComplete(request.Content);
            case "history_request":
                return new() { ["status"] = "ok", ["history"] = history.Find(request.Content) };
            case "comm_info_request":
                return new() { ["status"] = "ok", ["comms"] = new JsonObject() };
            case "comm_open":   // the kernel has no comm targets: close the comm at once
                Publish(request, "comm_close", new()
                {
                    ["comm_id"] = request.Content.Text("comm_id") ?? "",
                    ["data"] = new JsonObject(),
                });
                return null;
            case "comm_msg" or "comm_close":
                return null;
            case "interrupt_request":
                execute.Interrupt();
                return new() { ["status"] = "ok" };
            case "shutdown_request":
                execute.Interrupt();
                var content = new JsonObject { ["status"] = "ok", ["restart"] = request.Content.Flag("restart", false) };
                Publish(request, "shutdown_reply", (JsonObject)content.DeepClone());
                return content;
            default:
                log($"The message type '{request.Type}' is not supported; the message is ignored.");
                return null;
        }
    }

    /// <summary>
    /// Runs a cell. After a failed cell, the cells that were queued before the failure are aborted, unless the
    /// failed request has <c>stop_on_error</c> false.
    /// </summary>
    private async Task<JsonObject> ExecuteAsync(Message request, long number)
    {
        if (number <= Interlocked.Read(ref abortedUpTo)) return new() { ["status"] = "aborted" };
        Supervision?.Begin(request);
        var reply = await execute.RunAsync(request).ConfigureAwait(false);
        Supervision?.End();
        if ((string?)reply["status"] == "error" && request.Content.Flag("stop_on_error", true))
            Interlocked.Exchange(ref abortedUpTo, Interlocked.Read(ref received));
        return reply;
    }
}
