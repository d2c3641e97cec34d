using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol.Client;

/// <summary>A front end of another kernel: asks, and hears what the kernel says about each request.</summary>
internal sealed class KernelClient : IDisposable
{
    private readonly string session = Guid.NewGuid().ToString();
    private readonly Dictionary<string, KernelRequest> open = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly Action<Message> late;
    private readonly ClientChannels channels;
    private Exception? failure;

    /// <summary>Connects; whether the kernel listens yet is what <see cref="ReadyAsync"/> finds out.</summary>
    /// <param name="file">Where the kernel listens, and its key.</param>
    /// <param name="late">Takes what the kernel says about requests that have ended.</param>
    /// <param name="log">Takes what nobody else is told, such as a message with a wrong signature.</param>
    public KernelClient(ConnectionFile file, Action<Message> late, Action<string> log)
    {
        this.late = late;
        channels = new ClientChannels(file, Received, log);
    }

    /// <summary>Waits until requests are answered and what everybody hears is heard here too.</summary>
    public async Task ReadyAsync(CancellationToken cancellation)
    {
        while (true)
        {
            using var request = Send("kernel_info_request", []);
            var reply = request.ReplyAsync();
            var first = await Task.WhenAny(reply, Task.Delay(100, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (first != reply) continue;
            await reply.ConfigureAwait(false);
            if (request.IsIdle) return;
        }
    }

    /// <summary>Sends a request. Dispose what is returned when it has been read.</summary>
    public KernelRequest Send(string type, JsonObject content, Channel channel = Channel.Shell)
    {
        var message = Message.Create(type, session, content, null);
        var request = new KernelRequest(message, Close);
        lock (gate)
        {
            open[message.Id] = request;
            if (failure is not null) request.Fail(failure);
        }
        channels.Send(channel, message);
        return request;
    }

    /// <summary>Answers an <c>input_request</c>.</summary>
    public void Answer(Message question, string value) =>
        channels.Send(Channel.Stdin, Message.Create("input_reply", session, new() { ["value"] = value }, question));

    /// <summary>Ends every request, now and later, with this: the kernel is gone.</summary>
    public void Fail(IOException why)
    {
        lock (gate)
        {
            failure ??= why;
            foreach (var request in open.Values) request.Fail(why);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => channels.Dispose();

    private void Close(KernelRequest request)
    {
        lock (gate) open.Remove(request.Id);
        foreach (var message in request.Rest()) late(message);
    }

    private void Received(Channel channel, Message message)
    {
        lock (gate)
        {
            if (message.ParentHeader.Text("msg_id") is { } id && open.TryGetValue(id, out var request))
            {
                request.Receive(channel, message);
                return;
            }
        }
        if (channel == Channel.Iopub) late(message);
    }
}
