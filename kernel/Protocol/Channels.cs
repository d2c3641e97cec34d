using NetMQ;
using NetMQ.Sockets;

namespace ResearchKit.Kernel.Protocol;

/// <summary>The channels of the Jupyter protocol that carry messages.</summary>
public enum Channel
{
    /// <summary>Requests that are answered one after the other.</summary>
    Shell,

    /// <summary>Urgent requests that do not wait for the running cell: interrupt, shutdown.</summary>
    Control,

    /// <summary>Input requests to the user at the front end.</summary>
    Stdin,

    /// <summary>Outputs and status, broadcast to all front ends.</summary>
    Iopub,
}

/// <summary>The five ZeroMQ sockets of a kernel, on a thread of their own.</summary>
internal sealed class Channels : IDisposable
{
    private readonly MessageCodec codec;
    private readonly Action<string> log;
    private readonly Dictionary<Channel, NetMQSocket> sockets = [];
    private readonly ResponseSocket heartbeat = new();
    private readonly NetMQQueue<(Channel Channel, Message Message)> outgoing = new();
    private readonly NetMQPoller poller;
    private readonly Thread thread;

    /// <summary>Binds the sockets. Messages are received after <see cref="Start"/>.</summary>
    /// <exception cref="IOException">A port is in use, or the address is not one of this machine.</exception>
    public Channels(ConnectionFile file, Action<Channel, Message> received, Action<Message> subscribed, Action<string> log)
    {
        this.log = log;
        codec = new MessageCodec(new MessageSigner(file.Key));
        poller = [outgoing, heartbeat];
        thread = new Thread(poller.Run) { IsBackground = true, Name = "sockets" };
        try
        {
            Bind(heartbeat, file.Address(file.Heartbeat), "hb_port");
            heartbeat.ReceiveReady += (_, _) => Echo();
            foreach (var (channel, port, name) in new[]
            {
                (Channel.Shell, file.Shell, "shell_port"), (Channel.Control, file.Control, "control_port"),
                (Channel.Stdin, file.Stdin, "stdin_port"),
            })
            {
                var router = new RouterSocket();
                router.Options.RouterHandover = true;   // a second front end of a session has the first one's identity
                Open(channel, router, file.Address(port), name);
                router.ReceiveReady += (_, _) => Receive(channel, router, received);
            }
            var publisher = new XPublisherSocket();
            publisher.Options.XPubVerbose = true;   // report every subscription, not only the first of a topic
            Open(Channel.Iopub, publisher, file.Address(file.Iopub), "iopub_port");
            publisher.ReceiveReady += (_, _) => Welcome(publisher, subscribed);
        }
        catch
        {
            Close();
            throw;
        }
        outgoing.ReceiveReady += (_, _) => SendAll();
    }

    public void Start() => thread.Start();

    /// <summary>Queues a message; messages are sent in the order of the calls.</summary>
    public void Send(Channel channel, Message message) => outgoing.Enqueue((channel, message));

    /// <summary>Sends the queued messages and closes the sockets.</summary>
    public void Dispose()
    {
        if (thread.IsAlive)
        {
            using var sent = new ManualResetEventSlim();
            poller.Run(() => { SendAll(); sent.Set(); });
            sent.Wait(TimeSpan.FromSeconds(2));
            poller.Stop();
            thread.Join(TimeSpan.FromSeconds(2));
        }
        Close();
    }

    private void Open(Channel channel, NetMQSocket socket, string address, string name)
    {
        sockets[channel] = socket;
        socket.Options.SendHighWatermark = 0;      // no limit: never drop messages of a cell with much output
        socket.Options.ReceiveHighWatermark = 0;
        socket.Options.Linger = TimeSpan.FromSeconds(1);
        Bind(socket, address, name);
        poller.Add(socket);
    }

    private static void Bind(NetMQSocket socket, string address, string name)
    {
        try
        {
            socket.Bind(address);
        }
        catch (Exception refused) when (refused is NetMQException or System.Net.Sockets.SocketException)
        {
            throw new IOException($"{name}: cannot listen on {address}: {refused.Message}", refused);
        }
    }

    private void Echo()
    {
        var frame = default(Msg);
        frame.InitEmpty();
        while (heartbeat.TryReceive(ref frame, TimeSpan.Zero)) heartbeat.TrySend(ref frame, TimeSpan.Zero, frame.HasMore);
        frame.Close();
    }

    private void Receive(Channel channel, RouterSocket socket, Action<Channel, Message> received)
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

    /// <summary>
    /// Publishes <c>iopub_welcome</c> for each new subscription; without it a front end cannot know from when on it
    /// receives all messages.
    /// </summary>
    private static void Welcome(XPublisherSocket socket, Action<Message> subscribed)
    {
        while (socket.TryReceiveFrameBytes(out var frame))
            if (frame is [1, .. var topic])
            {
                var name = System.Text.Encoding.UTF8.GetString(topic);
                var content = new System.Text.Json.Nodes.JsonObject { ["subscription"] = name };
                subscribed(Message.Create("iopub_welcome", "", content, null) with { Identities = [topic] });
            }
    }

    private void SendAll()
    {
        while (outgoing.TryDequeue(out var next, TimeSpan.Zero))
        {
            var frames = new NetMQMessage(codec.Encode(next.Message).Select(frame => new NetMQFrame(frame)));
            try
            {
                sockets[next.Channel].TrySendMultipartMessage(frames);
            }
            catch (NetMQException gone)
            {
                log($"{next.Channel}: a {next.Message.Type} could not be sent: {gone.Message}");
            }
        }
    }

    private void Close()
    {
        poller.Dispose();
        outgoing.Dispose();
        heartbeat.Dispose();
        foreach (var socket in sockets.Values) socket.Dispose();
    }
}
