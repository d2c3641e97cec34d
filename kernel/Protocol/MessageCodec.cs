using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Protocol;

/// <summary>
/// Encodes and decodes messages as ZeroMQ frames: identities, delimiter, signature, header, parent header,
/// metadata, content, buffers.
/// </summary>
/// <param name="signer">Signs messages and verifies signatures.</param>
public sealed class MessageCodec(MessageSigner signer)
{
    private static readonly byte[] Delimiter = "<IDS|MSG>"u8.ToArray();
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonSerializerOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 256,
    };
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 256, AllowDuplicateProperties = false };

    /// <summary>Returns the frames of a message.</summary>
    public IReadOnlyList<byte[]> Encode(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        byte[][] json = [Bytes(message.Header), Bytes(message.ParentHeader), Bytes(message.Metadata), Bytes(message.Content)];
        return [.. message.Identities, Delimiter, Encoding.ASCII.GetBytes(signer.Sign(json)), .. json, .. message.Buffers];
    }

    /// <summary>Decodes a message and verifies its signature.</summary>
    /// <exception cref="InvalidDataException">
    /// The frames are not a valid message, or the signature is wrong.
    /// </exception>
    public Message Decode(IReadOnlyList<byte[]> frames)
    {
        ArgumentNullException.ThrowIfNull(frames);
        var at = frames.Select((frame, i) => (frame, i)).Where(pair => pair.frame.AsSpan().SequenceEqual(Delimiter))
            .Select(pair => (int?)pair.i).FirstOrDefault() ?? throw new InvalidDataException("The message "
                + "has no <IDS|MSG> frame.");
        if (frames.Count < at + 6)
            throw new InvalidDataException($"The message has {frames.Count - at - 1} frames after <IDS|MSG>; "
                + "expected five or more.");
        var json = frames.Skip(at + 2).Take(4).ToList();
        if (!signer.IsRight(frames[at + 1], json)) throw new InvalidDataException("The message has a wrong signature.");
        var message = new Message
        {
            Identities = [.. frames.Take(at)],
            Header = Read(json[0], "header"),
            ParentHeader = Read(json[1], "parent_header"),
            Metadata = Read(json[2], "metadata"),
            Content = Read(json[3], "content"),
            Buffers = [.. frames.Skip(at + 6)],
        };
        if (message.Type.Length == 0 || message.Id.Length == 0)
            throw new InvalidDataException("The header of the message has no msg_type or no msg_id.");
        return message;
    }

    private static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Options);

    private static JsonObject Read(byte[] frame, string name)
    {
        try
        {
            return JsonNode.Parse(Strict.GetString(frame), documentOptions: Reading) as JsonObject
                ?? throw new InvalidDataException($"The {name} of the message is not a JSON object.");
        }
        catch (Exception error) when (error is JsonException or DecoderFallbackException or ArgumentException)
        {
            throw new InvalidDataException($"The {name} of the message is not valid JSON: {error.Message}", error);
        }
    }
}
