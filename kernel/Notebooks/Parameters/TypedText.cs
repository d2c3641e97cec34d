using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>Values as typed on the command line: a text, or JSON for lists and objects.</summary>
internal static class TypedText
{
    /// <summary>Returns the elements of a JSON list as typed texts; null for other texts. JSON's null is "null".</summary>
    public static IReadOnlyList<string>? List(string text) =>
        Json(text) is JsonArray list ? [.. list.Select(Of)] : null;

    /// <summary>Returns the entries of a JSON object as typed texts; null for other texts.</summary>
    public static IReadOnlyList<(string Key, string Value)>? Object(string text) =>
        Json(text) is JsonObject entries ? [.. entries.Select(entry => (entry.Key, Of(entry.Value)))] : null;

    /// <summary>Returns a JSON value as it is typed: a string without quotes.</summary>
    public static string Of(JsonNode? value) => value is null ? "null"
        : value is JsonValue scalar && scalar.TryGetValue<string>(out var text) ? text : value.ToJsonString();

    /// <summary>Returns the JSON value of a text; null if the text is not JSON, or is JSON's null.</summary>
    public static JsonNode? Json(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Returns whether a text stands for no value.</summary>
    public static bool IsNull(string text) => text is "null" or "None";
}
