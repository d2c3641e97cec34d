using NetMQ;
using NetMQ.Sockets;

namespace ResearchKit.Kernel.Protocol.Client;

/// <summary>The ZeroMQ sockets of a front end, on a thread of their own.</summary>
internal sealed class ClientChannels : IDisposable
{
    private readonly MessageCodec codec;
    private readonly Action<string> log;
    private readonly Dictionary<Channel, NetMQSocket> sockets = [];
    private readonly NetMQQueue<(Channel Channel, Message Message)> outgoing = new();
    private readonly NetMQPoller poller;
    private readonly Thread thread;
    private int closed;

    /// <summary>
    /// Connects the sockets. <paramref name="received"/> is called on the socket thread and must not block.
    /// </summary>
    public ClientChannels(ConnectionFile file, Action<Channel, Message> received, Action<string> log)
    {
        this.log = log;
        codec = new MessageCodec(new MessageSigner(file.Key));
        poller = [outgoing];
        // the same for all sockets: a kernel addresses input requests to the sender of the request
        var identity = Guid.NewGuid().ToByteArray();
        foreach (var (channel, port) in new[]
        {
            (Channel.Shell, file.Shell), (Channel.Control, file.Control), (Channel.Stdin, file.Stdin),
        })
        {
            var dealer = new DealerSocket();
            dealer.Options.Identity = identity;
            Open(channel, dealer, file.Address(port), received);
        }
        var subscriber = new SubscriberSocket();
        Open(Channel.Iopub, subscriber, file.Address(file.Iopub), received);
        subscriber.SubscribeToAnyTopic();
        outgoing.ReceiveReady += (_, _) => SendAll();
        thread = new Thread(poller.Run) { IsBackground = true, Name = "client sockets" };
        thread.Start();
    }

    /// <summary>Queues a message; messages are sent in the order of the calls.</summary>
    public void Send(Channel channel, Message message)
    {
        if (Volatile.Read(ref closed) == 0) outgoing.Enqueue((channel, message));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, 1) != 0) return;
        poller.Stop();
        thread.Join(TimeSpan.FromSeconds(2));
        poller.Dispose();
        outgoing.Dispose();
        foreach (var socket in sockets.Values) socket.Dispose();
    }

    private void Open(Channel channel, NetMQSocket socket, string address, Action<Channel, Message> received)
    {
        sockets[channel] = socket;
        socket.Options.SendHighWatermark = 0;      // no limit: never drop messages of a cell with much output
        socket.Options.ReceiveHighWatermark = 0;
        socket.Options.Linger = TimeSpan.Zero;     // do not wait for a kernel that may be gone
        socket.Connect(address);
        socket.ReceiveReady += (_, _) => Receive(channel, socket, received);
        poller.Add(socket);
    }

    private void Receive(Channel channel, NetMQSocket socket, Action<Channel, Message> received)
    {
        for (var i = 0; i < 100; i++)   // at most 100 messages, so that the other sockets are served too
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(ref frames)) return;
            try
            {
                received(channel, codec.Decode([.. frames.Select(frame => frame.ToByteArray())]));
            }
            catch (InvalidDataException wrong)
            {
                log($"{channel}: {wrong.Message} The message is dropped.");
            }
        }
    }

    private void SendAll()
    {
        while (outgoing.TryDequeue(out var next, TimeSpan.Zero))
        {
            var frames = new NetMQMessage(codec.Encode(next.Message).Select(frame => new NetMQFrame(frame)));
            if (!sockets[next.Channel].TrySendMultipartMessage(frames))
                log($"{next.Channel}: a {next.Message.Type} could not be sent.");
        }
    }
}
