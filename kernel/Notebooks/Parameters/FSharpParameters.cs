using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>Parameters that F# declares, one <c>let</c> a line: <c>let steps = 100</c>.</summary>
internal sealed partial class FSharpParameters : IParameterLanguage
{
    private const NumberStyles Whole = NumberStyles.Integer;

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <inheritdoc/>
    public string Heading => "// Parameters";

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Declared(string source) =>
    [
        .. from line in source.ReplaceLineEndings("\n").Split('\n')
           let found = Binding().Match(line)
           where found.Success
           let told = found.Groups["type"].Value.Trim()
           let type = told.Length > 0 ? told : TypeOf(found.Groups["value"].Value.Trim())
           select new Parameter(found.Groups["name"].Value, type, []),
    ];

    /// <inheritdoc/>
    public ParameterValue Parse(Parameter parameter, string text) => Read(parameter.Type, text) is var (literal, json)
        ? new ParameterValue(parameter, $"let {parameter.Name} : {parameter.Type} = {literal}", json)
        : throw parameter.Refused(text);

    /// <summary>The type of a literal; <c>obj</c> for what is none.</summary>
    private static string TypeOf(string value) => value switch
    {
        "true" or "false" => "bool",
        ['"', ..] => "string",
        ['\'', .., '\''] => "char",
        ['[', '|', .. var items, '|', ']'] => $"{ElementOf(items)}[]",
        ['[', .. var items, ']'] => $"{ElementOf(items)} list",
        _ when value.StartsWith("Some ", StringComparison.Ordinal) => $"{TypeOf(value[5..].Trim('(', ')', ' '))} option",
        _ when WholeNumber().IsMatch(value) => "int",
        _ when FloatNumber().IsMatch(value) => "float",
        _ when WholeNumber().IsMatch(value[..^1]) && value.EndsWith('L') => "int64",
        _ when value.EndsWith('m') && decimal.TryParse(value[..^1], NumberStyles.Float, Invariant, out _) => "decimal",
        _ when value.EndsWith('f') && float.TryParse(value[..^1], NumberStyles.Float, Invariant, out _) => "float32",
        _ => "obj",
    };

    private static string ElementOf(string items) => TypeOf(items.Split(';')[0].Trim() is { Length: > 0 } first ? first : "null");

    private static (string Literal, JsonNode? Json)? Read(string type, string text)
    {
        if (Ending(type, "option") is { } some)
            return TypedText.IsNull(text) ? ("None", null)
                : Read(some, text) is var (inner, one) ? ($"Some ({inner})", one) : null;
        if (Ending(type, "[]") is { } element) return List(element, text, "[|", "|]");
        if ((Ending(type, "list") ?? Argument(type, "list<")) is { } item) return List(item, text, "[", "]");
        return type switch
        {
            "string" => (SymbolDisplay.FormatLiteral(text, quote: true), text),
            "char" when text.Length == 1 => (SymbolDisplay.FormatLiteral(text[0], quote: true), text),
            "bool" when bool.TryParse(text, out var flag) => (flag ? "true" : "false", flag),
            "int" or "int32" when int.TryParse(text, Whole, Invariant, out var number) => (number.ToString(Invariant), number),
            "int64" when long.TryParse(text, Whole, Invariant, out var number) => ($"{number.ToString(Invariant)}L", number),
            "float" or "double" when double.TryParse(text, NumberStyles.Float, Invariant, out var number) => Float(number, ""),
            "float32" or "single" when float.TryParse(text, NumberStyles.Float, Invariant, out var number) => Float(number, "f"),
            "decimal" when decimal.TryParse(text, NumberStyles.Float, Invariant, out var number) =>
                ($"{number.ToString(Invariant)}m", number),
            "obj" => (SymbolDisplay.FormatLiteral(text, quote: true), text),
            _ => null,
        };
    }

    private static (string Literal, JsonNode? Json)? List(string element, string text, string open, string close)
    {
        var items = TypedText.List(text)?.Select(item => Read(element, item)).ToList();
        if (items is null || items.Contains(null)) return null;
        return ($"{open}{string.Join("; ", items.Select(item => item!.Value.Literal))}{close}",
            new JsonArray([.. items.Select(item => item!.Value.Json?.DeepClone())]));
    }

    private static (string Literal, JsonNode? Json) Float(double number, string suffix)
    {
        if (!double.IsFinite(number))
            return (suffix.Length > 0 ? $"float32 {NotFinite(number)}" : NotFinite(number), number.ToString(Invariant));
        var text = suffix.Length > 0 ? ((float)number).ToString("R", Invariant) : number.ToString("R", Invariant);
        return (text.AsSpan().IndexOfAny('.', 'E') < 0 ? $"{text}.0{suffix}" : $"{text}{suffix}", number);
    }

    private static string NotFinite(double number) => double.IsNaN(number) ? "nan" : number > 0 ? "infinity" : "(-infinity)";

    private static string? Ending(string type, string end) =>
        type.EndsWith(end, StringComparison.Ordinal) && type.Length > end.Length ? type[..^end.Length].Trim() : null;

    private static string? Argument(string type, string start) =>
        type.StartsWith(start, StringComparison.Ordinal) && type.EndsWith('>') ? type[start.Length..^1].Trim() : null;

    [GeneratedRegex(@"^let\s+(?:mutable\s+)?(?<name>[A-Za-z_]\w*)\s*(?::(?<type>[^=]+))?=\s*(?<value>.+?)\s*(?://.*)?$")]
    private static partial Regex Binding();

    [GeneratedRegex(@"^-?\d[\d_]*$")]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^-?\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?$")]
    private static partial Regex FloatNumber();
}
