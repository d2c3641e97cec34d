using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Tests.Kernel.Jupyter;

/// <summary>A front end at the level of messages.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly MessageCodec codec;
    private readonly DealerSocket shell = new(), control = new(), stdin = new();
    private readonly SubscriberSocket iopub = new();
    private readonly string session = Guid.NewGuid().ToString();

    /// <param name="file">Where the kernel listens.</param>
    /// <param name="identity">The name of its sockets, which two front ends can share; a new one where not given.</param>
    public TestClient(ConnectionFile file, byte[]? identity = null)
    {
        codec = new MessageCodec(new MessageSigner(file.Key));
        identity ??= Guid.NewGuid().ToByteArray();
        foreach (var (socket, port) in new[] { (shell, file.Shell), (control, file.Control), (stdin, file.Stdin) })
        {
            socket.Options.Identity = identity;
            socket.Connect(file.Address(port));
        }
        iopub.Options.ReceiveHighWatermark = 0;
        iopub.Connect(file.Address(file.Iopub));
        iopub.SubscribeToAnyTopic();
        while (Receive(iopub).Type != "iopub_welcome") { }   // the kernel's own start may be heard first
    }

    public static ConnectionFile FreePorts()
    {
        var listeners = Enumerable.Range(0, 5).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
        foreach (var listener in listeners) listener.Stop();
        return new ConnectionFile("127.0.0.1", ports[0], ports[1], ports[2], ports[3], ports[4], "a key");
    }

    public Message Send(string type, JsonObject content, bool onControl = false)
    {
        var message = Message.Create(type, session, content, null);
        Raw([.. codec.Encode(message)], onControl);
        return message;
    }

    public Message Execute(string code, JsonObject? more = null)
    {
        var content = new JsonObject { ["code"] = code, ["silent"] = false, ["store_history"] = true, ["stop_on_error"] = true };
        foreach (var (key, value) in more ?? []) content[key] = value?.DeepClone();
        return Send("execute_request", content);
    }

    public IReadOnlyList<byte[]> Encode(string type, JsonObject content) =>
        codec.Encode(Message.Create(type, session, content, null));

    public void Raw(byte[][] frames, bool onControl = false) => (onControl ? control : shell).SendMultipartBytes(frames);

    public Message Reply(bool onControl = false) => Receive(onControl ? control : shell);

    public Message Question() => Receive(stdin);

    public void Answer(Message question, string value) =>
        stdin.SendMultipartBytes([.. codec.Encode(Message.Create("input_reply", session, new() { ["value"] = value },
            question))]);

    /// <summary>What is heard about a request, from busy to idle, these two left out.</summary>
    public List<Message> Heard(Message request)
    {
        var all = new List<Message>();
        while (true)
        {
            var next = Receive(iopub);
            if ((string?)next.ParentHeader["msg_id"] != request.Id) continue;
            all.Add(next);
            if (next.Type == "status" && (string?)next.Content["execution_state"] == "idle") break;
        }
        Assert.Equal("busy", (string?)all[0].Content["execution_state"]);
        return all[1..^1];
    }

    /// <summary>The next message of a kind about a request.</summary>
    public Message Hear(Message request, string type)
    {
        while (true)
            if (Receive(iopub) is var next && next.Type == type && (string?)next.ParentHeader["msg_id"] == request.Id)
                return next;
    }

    public void Dispose()
    {
        foreach (var socket in new NetMQSocket[] { shell, control, stdin, iopub })
        {
            socket.Options.Linger = TimeSpan.Zero;
            socket.Dispose();
        }
    }

    private Message Receive(NetMQSocket socket)
    {
        var frames = new List<byte[]>();
        Assert.True(socket.TryReceiveMultipartBytes(TimeSpan.FromSeconds(30), ref frames!), "The kernel says nothing.");
        return codec.Decode(frames);
    }
}
