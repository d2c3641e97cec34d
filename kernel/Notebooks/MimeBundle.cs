using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Values by mime type as notebooks and messages write them.</summary>
internal static class MimeBundle
{
    /// <summary>JSON stands as JSON; all else as text.</summary>
    public static JsonObject Of(IReadOnlyDictionary<string, string> data) =>
        new(data.Select(entry => KeyValuePair.Create(entry.Key, Value(entry.Key, entry.Value))));

    /// <summary>Halves of characters, as a cut string has them, cannot stand in a file.</summary>
    public static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static JsonNode? Value(string mime, string text)
    {
        if (!mime.EndsWith("json", StringComparison.Ordinal)) return WellFormed(text);
        try
        {
            return JsonNode.Parse(WellFormed(text));
        }
        catch (JsonException)
        {
            return WellFormed(text);
        }
    }
}
