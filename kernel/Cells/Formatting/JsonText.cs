using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells;

/// <summary>JSON values (of System.Text.Json and Newtonsoft.Json) as JSON.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        MaxDepth = 1000,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Returns a JSON value as JSON, HTML and plain text; null for other values, and for types with a formatter of the user's.
    /// </summary>
    public static IReadOnlyDictionary<string, string>? Of(object? value)
    {
        if (value is null || !IsJson(value.GetType()) || HasOwnFormatter(value.GetType())) return null;
        try
        {
            var text = value switch
            {
                JsonDocument document => Text(document.RootElement),
                JsonElement element => Text(element),
                JsonNode node => node.ToJsonString(Indented),
                _ => value.ToString()!,
            };
            return new OrderedDictionary<string, string>
            {
                [JsonFormatter.MimeType] = text,
                [HtmlFormatter.MimeType] = $"<div class=\"dni-plaintext\"><pre>{Escape.Html(text)}</pre></div>",
                [PlainTextFormatter.MimeType] = text,
            };
        }
        catch (Exception unreadable) when (unreadable is not OperationCanceledException)   // such as a disposed document
        {
            return null;
        }
    }

    private static string Text(JsonElement element) => JsonSerializer.Serialize(element, Indented);

    private static bool IsJson(Type type)
    {
        if (type == typeof(JsonElement) || typeof(JsonDocument).IsAssignableFrom(type) || typeof(JsonNode).IsAssignableFrom(type))
            return true;
        for (var one = type; one is not null; one = one.BaseType)
            if (one.FullName == "Newtonsoft.Json.Linq.JToken") return true;
        return false;
    }

    private static bool HasOwnFormatter(Type type) => Formatter.RegisteredFormatters(includeDefaults: false)
        .Any(formatter => formatter.Type != typeof(object) && formatter.Type.IsAssignableFrom(type));
}
