using System.Threading.Channels;

namespace ResearchKit.Kernel.Protocol.Client;

/// <summary>A request to a kernel, and all that it says about it.</summary>
internal sealed class KernelRequest(Message request, Action<KernelRequest> close) : IDisposable
{
    /// <summary>How long the second of reply and idle may stay out after the first; either can get lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Channel<(Channel Channel, Message Message)> inbox =
        System.Threading.Channels.Channel.CreateUnbounded<(Channel, Message)>();

    /// <summary>The name by which answers refer to it.</summary>
    public string Id => request.Id;

    /// <summary>The reply, once it has come.</summary>
    public Message? Reply { get; private set; }

    /// <summary>Whether the kernel has said that it is done with it.</summary>
    public bool IsIdle { get; private set; }

    /// <summary>The next thing that the kernel says about it; null when it has said all.</summary>
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

    /// <summary>Waits for the reply; what else is said is not wanted.</summary>
    /// <exception cref="IOException">The kernel is gone, or it does not reply.</exception>
    public async Task<Message> ReplyAsync()
    {
        while (await NextAsync().ConfigureAwait(false) is not null)
        {
            // heard and forgotten
        }
        return Reply ?? throw new IOException($"The kernel did not reply to an {request.Type}.");
    }

    public void Receive(Channel channel, Message message) => inbox.Writer.TryWrite((channel, message));

    /// <summary>After what has come already, reading throws this.</summary>
    public void Fail(Exception why) => inbox.Writer.TryComplete(why);

    /// <summary>What came and was not read.</summary>
    public IEnumerable<Message> Rest()
    {
        inbox.Writer.TryComplete();
        while (inbox.Reader.TryRead(out var next)) yield return next.Message;
    }

    /// <summary>What the kernel still says about it is late from here on.</summary>
    public void Dispose() => close(this);
}
