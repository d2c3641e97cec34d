using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Reads and writes JSON in Jupyter's format.</summary>
internal static class NotebookJson
{
    private const int Depth = 500;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = Depth, AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions Writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Indented = true,
        IndentSize = 1,
        NewLine = "\n",
        MaxDepth = Depth,
    };

    public static JsonObject Read(byte[] json, string name)
    {
        ReadOnlySpan<byte> bytes = json;
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        if (bytes.Trim(" \t\r\n"u8).IsEmpty) throw new InvalidDataException($"{name} is empty; expected a notebook.");
        RequireUnicode(bytes, name);
        try
        {
            var node = JsonNode.Parse(bytes, nodeOptions: null, Reading);
            var root = node as JsonObject
                ?? throw new InvalidDataException(
                    $"{name}: expected an object at the top, found {NotebookChecks.Describe(node)}.");
            return root;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(Sentence(name, bytes, error), error);
        }
    }

    /// <summary>Throws if any text is not valid Unicode. The parser decodes texts only when they are used.</summary>
    private static void RequireUnicode(ReadOnlySpan<byte> bytes, string name)
    {
        if (FirstInvalidByte(bytes) is { } at)
        {
            var before = bytes[..at];
            throw new InvalidDataException($"{name} holds the byte 0x{bytes[at]:X2} at line {before.Count((byte)'\n') + 1}, "
                + $"column {at - before.LastIndexOf((byte)'\n')}, which is not valid Unicode in UTF-8; save it as UTF-8.");
        }
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = Depth });
        try
        {
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) reader.GetString();
        }
        catch (JsonException)
        {
            return;   // the parser describes it
        }
        catch (InvalidOperationException error)
        {
            var before = bytes[..(int)reader.TokenStartIndex];
            throw new InvalidDataException($"{name} holds text at line {before.Count((byte)'\n') + 1} that is not valid Unicode: "
                + "an escape of half a character (a lone surrogate).", error);
        }
    }

    private static int? FirstInvalidByte(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return null;
        for (var at = 0; at < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes[at..], out _, out var length) != System.Buffers.OperationStatus.Done) return at;
            at += length;
        }
        return null;
    }

    public static string Write(JsonObject root)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            Spelled(root).WriteTo(writer);
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    /// <summary>Splits all texts into lines that Jupyter stores as lists of lines.</summary>
    private static JsonObject Spelled(JsonObject root)
    {
        if (root["cells"] is not JsonArray cells) return root;
        foreach (var cell in cells.OfType<JsonObject>())
        {
            SplitText(cell, "source");
            foreach (var output in (cell["outputs"] as JsonArray ?? []).OfType<JsonObject>())
            {
                SplitText(output, "text");
                if (output["data"] is not JsonObject data) continue;
                foreach (var mime in data.Select(entry => entry.Key).Where(IsText).ToList()) SplitText(data, mime);
            }
        }
        return root;
    }

    private static bool IsText(string mime) =>
        mime.StartsWith("text/", StringComparison.Ordinal) || mime is "image/svg+xml" or "application/javascript";

    private static void SplitText(JsonObject owner, string key)
    {
        if (owner[key] is JsonValue value && value.TryGetValue<string>(out var text)) owner[key] = MultilineText.Split(text);
    }

    private static string Sentence(string name, ReadOnlySpan<byte> bytes, JsonException error)
    {
        var place = $"line {error.LineNumber + 1}, column {error.BytePositionInLine + 1}";
        var reason = error.Message.Split(" Path:")[0].Split(" LineNumber:")[0];
        if (reason.Contains("Duplicate", StringComparison.OrdinalIgnoreCase))
            return $"{name}: an object names the same property twice; expected each once. {reason}";
        return IsAtEnd(bytes, error)
            ? $"{name} ends too early, at {place}; expected the rest of a notebook."
            : $"{name} is not valid JSON at {place}: {reason}";
    }

    /// <summary>Returns whether the error is an unexpected end of the file.</summary>
    private static bool IsAtEnd(ReadOnlySpan<byte> bytes, JsonException error)
    {
        var lineStart = 0;
        for (var line = 0L; line < error.LineNumber; line++) lineStart += bytes[lineStart..].IndexOf((byte)'\n') + 1;
        return lineStart + error.BytePositionInLine >= bytes.TrimEnd(" \t\r\n"u8).Length;
    }
}
