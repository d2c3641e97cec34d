using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol;

/// <summary>
/// A Jupyter connection file: the ports of a kernel and the key that signs its messages. The front end writes
/// it.
/// </summary>
/// <remarks>https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files</remarks>
/// <param name="Ip">The only address that the kernel listens on.</param>
/// <param name="Shell">The port of the shell channel.</param>
/// <param name="Control">The port of the control channel.</param>
/// <param name="Stdin">The port of the stdin channel.</param>
/// <param name="Iopub">The port of the iopub channel.</param>
/// <param name="Heartbeat">The port of the heartbeat, which echoes.</param>
/// <param name="Key">The key of the message signatures; empty for unsigned messages.</param>
public sealed record ConnectionFile(string Ip, int Shell, int Control, int Stdin, int Iopub, int Heartbeat, string Key)
{
    private const string Scheme = "hmac-sha256";

    /// <summary>Reads a connection file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is not a connection file, or asks for an unsupported transport or signature scheme.
    /// </exception>
    public static ConnectionFile Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no connection file {path}.", path);
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>
    /// Parses the text of a connection file. Error messages call the file <paramref name="name"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The text is not a connection file, or asks for an unsupported transport or signature scheme.
    /// </exception>
    public static ConnectionFile Parse(string json, string name)
    {
        JsonObject file;
        try
        {
            file = JsonNode.Parse(json) as JsonObject ?? throw new InvalidDataException($"{name}: expected a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{name} is not JSON: {error.Message}", error);
        }
        if (Text("transport", "tcp") is not "tcp" and var transport)
            throw new InvalidDataException($"{name}: transport '{transport}' is not supported; expected tcp.");
        var key = Text("key", "");
        if (Text("signature_scheme", Scheme) is not Scheme and var scheme && key.Length > 0)
            throw new InvalidDataException($"{name}: signature_scheme '{scheme}' is not supported; expected {Scheme}.");
        return new ConnectionFile(
            Text("ip", "127.0.0.1"), Port("shell_port"), Port("control_port"), Port("stdin_port"), Port("iopub_port"),
            Port("hb_port"), key);

        string Text(string field, string otherwise) => file[field] switch
        {
            null => otherwise,
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            var found => throw new InvalidDataException($"{name}: {field} is {found.ToJsonString()}; "
                + "expected a text string."),
        };

        int Port(string field) =>
            file[field] is JsonValue value && value.TryGetValue<int>(out var port) && port is > 0 and < 65536
            ? port
            : throw new InvalidDataException(
                $"{name}: {field} is {file[field]?.ToJsonString() ?? "missing"}; expected a port from 1 to 65535.");
    }

    /// <summary>Returns the ZeroMQ address of a port.</summary>
    public string Address(int port) => $"tcp://{(Ip.Contains(':', StringComparison.Ordinal) ? $"[{Ip}]" : Ip)}:{port}";
}
