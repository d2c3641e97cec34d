using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>Parameters that Python declares, one assignment a line: <c>steps = 100</c>.</summary>
internal sealed partial class PythonParameters : IParameterLanguage
{
    private static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public string Heading => "# Parameters";

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Declared(string source) =>
    [
        .. from line in source.ReplaceLineEndings("\n").Split('\n')
           let found = Assignment().Match(line)
           where found.Success
           select new Parameter(found.Groups["name"].Value, TypeOf(found.Groups["value"].Value.Trim()), []),
    ];

    /// <inheritdoc/>
    public ParameterValue Parse(Parameter parameter, string text) => Read(parameter.Type, text) is var (literal, json)
        ? new ParameterValue(parameter, $"{parameter.Name} = {literal}", json)
        : throw parameter.Refused(text);

    private static string TypeOf(string value) => value switch
    {
        "True" or "False" => "bool",
        ['[', ..] => "list",
        ['{', ..] => "dict",
        ['"' or '\'', ..] => "str",
        _ when long.TryParse(value.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture, out _) => "int",
        _ when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) => "float",
        _ => "object",   // None, or an expression
    };

    /// <summary>Any parameter can be None; an object can be anything: JSON, or else a text.</summary>
    private static (string Literal, JsonNode? Json)? Read(string type, string text)
    {
        if (type == "str") return (Literal(text), text);
        if (TypedText.IsNull(text)) return ("None", null);
        if (type is "float" or "object" && text is "nan" or "inf" or "-inf") return ($"float(\"{text}\")", text);
        var json = text is "True" or "False" ? JsonValue.Create(text == "True") : TypedText.Json(text);
        var fits = (type, json?.GetValueKind()) switch
        {
            ("object", _) => true,
            ("bool", JsonValueKind.True or JsonValueKind.False) => true,
            ("list", JsonValueKind.Array) => true,
            ("dict", JsonValueKind.Object) => true,
            ("int", JsonValueKind.Number) => text.AsSpan().IndexOfAny(".eE") < 0,
            ("float", JsonValueKind.Number) => true,
            _ => false,
        };
        return !fits ? null : json is null ? (Literal(text), text) : (Literal(json), json);
    }

    private static string Literal(JsonNode? json) => json switch
    {
        null => "None",
        JsonArray list => $"[{string.Join(", ", list.Select(Literal))}]",
        JsonObject entries =>
            $"{{{string.Join(", ", entries.Select(entry => $"{Literal(entry.Key)}: {Literal(entry.Value)}"))}}}",
        _ when json.GetValueKind() is JsonValueKind.True or JsonValueKind.False => json.GetValue<bool>() ? "True" : "False",
        _ when json.GetValueKind() == JsonValueKind.String => Literal(json.GetValue<string>()),
        _ => json.ToJsonString(),
    };

    /// <summary>A JSON string is a Python string.</summary>
    private static string Literal(string text) => JsonSerializer.Serialize(text, Writing);

    [GeneratedRegex(@"^(?<name>[A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*(?<value>.+?)\s*(?:#.*)?$")]
    private static partial Regex Assignment();
}
