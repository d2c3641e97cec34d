using System.Threading.Channels;

namespace ResearchKit.Kernel.Protocol.Client;

/// <summary>A request to a kernel, and the kernel's messages about it.</summary>
internal sealed class KernelRequest(Message request, Action<KernelRequest> close) : IDisposable
{
    /// <summary>
    /// A request ends with a reply and an idle status, in either order. If one of them is lost, this is how long to
    /// wait for it after the other.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Channel<(Channel Channel, Message Message)> inbox =
        System.Threading.Channels.Channel.CreateUnbounded<(Channel, Message)>();

    /// <summary>The message id, which the kernel's messages refer to.</summary>
    public string Id => request.Id;

    /// <summary>The reply; null until it was received.</summary>
    public Message? Reply { get; private set; }

    /// <summary>Whether the kernel has reported idle after this request.</summary>
    public bool IsIdle { get; private set; }

    /// <summary>Returns the next message about this request; null after the last one.</summary>
    /// <exception cref="IOException">The kernel is gone.</exception>
    public async Task<Message?> NextAsync()
    {
        if (Reply is not null && IsIdle) return null;
        using var patience = new CancellationTokenSource(Reply is not null || IsIdle ? Patience : Timeout.InfiniteTimeSpan);
        try
        {
            if (!await inbox.Reader.WaitToReadAsync(patience.Token).ConfigureAwait(false)) return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        inbox.Reader.TryRead(out var next);
        if (next.Channel is Channel.Shell or Channel.Control) Reply = next.Message;
        if (next.Message.Type == "status" && next.Message.Content.Text("execution_state") == "idle") IsIdle = true;
        return next.Message;
    }

    /// <summary>Waits for the reply and discards all other messages.</summary>
    /// <exception cref="IOException">The kernel is gone, or it does not reply.</exception>
    public async Task<Message> ReplyAsync()
    {
        while (await NextAsync().ConfigureAwait(false) is not null)
        {
            // discard the message
        }
        return Reply ?? throw new IOException($"The kernel did not reply to the {request.Type}.");
    }

    public void Receive(Channel channel, Message message) => inbox.Writer.TryWrite((channel, message));

    /// <summary>Makes reading throw this exception after the messages already received.</summary>
    public void Fail(Exception why) => inbox.Writer.TryComplete(why);

    /// <summary>Returns the messages that were received but not read.</summary>
    public IEnumerable<Message> Rest()
    {
        inbox.Writer.TryComplete();
        while (inbox.Reader.TryRead(out var next)) yield return next.Message;
    }

    /// <summary>Closes the request: the kernel's further messages about it are reported as late.</summary>
    public void Dispose() => close(this);
}
