using NetMQ;
using NetMQ.Sockets;

namespace ResearchKit.Kernel.Protocol;

/// <summary>The channels of a message.</summary>
public enum Channel
{
    /// <summary>Requests, one after the other.</summary>
    Shell,

    /// <summary>Requests that overtake: interrupt, shutdown.</summary>
    Control,

    /// <summary>Questions to the person at the front end.</summary>
    Stdin,

    /// <summary>What everybody hears.</summary>
    Iopub,
}

/// <summary>The five sockets of a kernel, on one thread of their own.</summary>
internal sealed class Channels : IDisposable
{
    private readonly MessageCodec codec;
    private readonly Action<string> log;
    private readonly Dictionary<Channel, NetMQSocket> sockets = [];
    private readonly ResponseSocket heartbeat = new();
    private readonly NetMQQueue<(Channel Channel, Message Message)> outgoing = new();
    private readonly NetMQPoller poller;
    private readonly Thread thread;

    /// <summary>Binds the sockets; nothing is received before <see cref="Start"/>.</summary>
    /// <exception cref="IOException">A port is taken, or the address is not one of this machine.</exception>
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
            publisher.Options.XPubVerbose = true;   // every listener is greeted, not only the first
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

    /// <summary>Sends, in the order of the calls.</summary>
    public void Send(Channel channel, Message message) => outgoing.Enqueue((channel, message));

    /// <summary>Sends what waits, and closes.</summary>
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
        socket.Options.SendHighWatermark = 0;      // nothing of a healthy cell is dropped
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
        for (var i = 0; i < 100; i++)   // then the other sockets have their turn
        {
            NetMQMessage? frames = null;
            if (!socket.TryReceiveMultipartMessage(ref frames)) return;
            try
            {
                received(channel, codec.Decode([.. frames.Select(frame => frame.ToByteArray())]));
            }
            catch (InvalidDataException wrong)
            {
                log($"{channel}: {wrong.Message} It is dropped.");
            }
        }
    }

    /// <summary>Greets a new listener, who else cannot know when it began to hear everything.</summary>
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
