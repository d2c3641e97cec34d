using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Reads optional properties of a JSON object; null where a property is missing or null.</summary>
internal static class JsonValues
{
    public static JsonElement? Child(this JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value)
            && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(this JsonElement element, string property) => element.Child(property) is { } value
        ? value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(property, value, "a string") : null;

    public static bool? Flag(this JsonElement element, string property) => element.Child(property) is { } value
        ? value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
            : throw Wrong(property, value, "true or false")
        : null;

    public static int? Number(this JsonElement element, string property) => element.Child(property) is { } value
        ? value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
            : throw Wrong(property, value, "an integer") : null;

    public static IEnumerable<JsonElement> Items(this JsonElement element, string property) =>
        element.Child(property) is { } value
        ? value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Wrong(property, value, "an array") : [];

    private static FormatException Wrong(string property, JsonElement value, string expected)
    {
        var got = value.GetRawText();
        return new FormatException($"'{property}' is {(got.Length > 40 ? got[..40] + "…" : got)}; expected {expected}.");
    }
}
