using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol.Client;

/// <summary>A Jupyter client: sends requests to a kernel and assigns the kernel's messages to them.</summary>
internal sealed class KernelClient : IDisposable
{
    private readonly string session = Guid.NewGuid().ToString();
    private readonly Dictionary<string, KernelRequest> open = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly Action<Message> late;
    private readonly ClientChannels channels;
    private Exception? failure;

    /// <summary>Connects to a kernel, which need not listen yet; see <see cref="ReadyAsync"/>.</summary>
    /// <param name="file">The kernel's connection file.</param>
    /// <param name="late">Receives the messages about requests that were disposed.</param>
    /// <param name="log">Receives log lines, for example about a message with a wrong signature.</param>
    public KernelClient(ConnectionFile file, Action<Message> late, Action<string> log)
    {
        this.late = late;
        channels = new ClientChannels(file, Received, log);
    }

    /// <summary>Waits until the kernel replies to requests and its iopub messages arrive here.</summary>
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

    /// <summary>Sends a request. Dispose the result when its messages have been read.</summary>
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

    /// <summary>Fails all open and future requests with this exception, because the kernel is gone.</summary>
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
