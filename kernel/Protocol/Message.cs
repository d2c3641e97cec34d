using System.Globalization;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol;

/// <summary>One message of the Jupyter protocol, 5.4.</summary>
/// <remarks>https://jupyter-client.readthedocs.io/en/stable/messaging.html</remarks>
public sealed record Message
{
    /// <summary>The version of the protocol that this kernel speaks.</summary>
    public const string ProtocolVersion = "5.4";

    /// <summary>Routing frames: who sent it and gets the reply; on iopub the topic.</summary>
    public IReadOnlyList<byte[]> Identities { get; init; } = [];

    /// <summary>Who says what, when.</summary>
    public required JsonObject Header { get; init; }

    /// <summary>The header of the request that led to this message; empty where there is none.</summary>
    public JsonObject ParentHeader { get; init; } = [];

    /// <summary>What is neither header nor content.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>What it says.</summary>
    public JsonObject Content { get; init; } = [];

    /// <summary>Binary frames after the content.</summary>
    public IReadOnlyList<byte[]> Buffers { get; init; } = [];

    /// <summary>What kind of message it is, such as <c>execute_request</c>.</summary>
    public string Type => Header.Text("msg_type") ?? "";

    /// <summary>Its own name.</summary>
    public string Id => Header.Text("msg_id") ?? "";

    /// <summary>A message of this kernel.</summary>
    /// <param name="type">Its kind.</param>
    /// <param name="session">Who speaks.</param>
    /// <param name="content">What it says.</param>
    /// <param name="parent">The request that led to it.</param>
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

/// <summary>Reading JSON that others wrote: what has another type than expected is as good as missing.</summary>
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
