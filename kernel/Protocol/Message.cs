using System.Globalization;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol;

/// <summary>A message of the Jupyter protocol, version 5.4.</summary>
/// <remarks>https://jupyter-client.readthedocs.io/en/stable/messaging.html</remarks>
public sealed record Message
{
    /// <summary>The protocol version of this kernel.</summary>
    public const string ProtocolVersion = "5.4";

    /// <summary>The routing frames: the sender of a request, which gets the reply; on iopub the topic.</summary>
    public IReadOnlyList<byte[]> Identities { get; init; } = [];

    /// <summary>The header: message id, session, date and type.</summary>
    public required JsonObject Header { get; init; }

    /// <summary>The header of the request that led to this message; empty where there is none.</summary>
    public JsonObject ParentHeader { get; init; } = [];

    /// <summary>The metadata.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>The content; its fields depend on the message type.</summary>
    public JsonObject Content { get; init; } = [];

    /// <summary>Binary frames after the content.</summary>
    public IReadOnlyList<byte[]> Buffers { get; init; } = [];

    /// <summary>The message type, such as <c>execute_request</c>.</summary>
    public string Type => Header.Text("msg_type") ?? "";

    /// <summary>The message id.</summary>
    public string Id => Header.Text("msg_id") ?? "";

    /// <summary>Creates a message with a new id.</summary>
    /// <param name="type">The message type.</param>
    /// <param name="session">The session id of the sender.</param>
    /// <param name="content">The content.</param>
    /// <param name="parent">The request that caused the message; null for none.</param>
    public static Message Create(string type, string session, JsonObject content, Message? parent) => new()
    {
        Header = new JsonObject
        {
            ["msg_id"] = Guid.NewGuid().ToString(),
            ["session"] = session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture),
            ["msg_type"] = type,
            ["version"] = ProtocolVersion,
        },
        ParentHeader = (JsonObject?)parent?.Header.DeepClone() ?? [],
        Content = content,
    };
}

/// <summary>
/// Reads fields of JSON from other programs; a value of an unexpected type counts as missing.
/// </summary>
internal static class JsonReading
{
    public static string? Text(this JsonObject json, string key) => Value<string>(json, key, out var text) ? text : null;

    public static bool Flag(this JsonObject json, string key, bool otherwise) =>
        Value<bool>(json, key, out var flag) ? flag : otherwise;

    public static int? Number(this JsonObject json, string key) => Value<int>(json, key, out var number) ? number : null;

    private static bool Value<T>(JsonObject json, string key, out T? value)
    {
        value = default;
        return json[key] is JsonValue found && found.TryGetValue(out value);
    }
}
