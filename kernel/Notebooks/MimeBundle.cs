using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>Mime bundles: data by mime type, in the form of notebooks and messages.</summary>
internal static class MimeBundle
{
    /// <summary>Returns the bundle as JSON: data of JSON types as JSON, all other data as strings.</summary>
    public static JsonObject Of(IReadOnlyDictionary<string, string> data) =>
        new(data.Select(entry => KeyValuePair.Create(entry.Key, Value(entry.Key, entry.Value))));

    /// <summary>
    /// Replaces lone surrogates, which occur in truncated strings and cannot be written to a file.
    /// </summary>
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
