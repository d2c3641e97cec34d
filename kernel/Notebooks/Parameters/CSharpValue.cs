using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>Reads typed texts as values of C# types.</summary>
internal static class CSharpValue
{
    private const string InvariantCulture = "System.Globalization.CultureInfo.InvariantCulture";
    private static readonly string[] Lists =
    [
        "List", "IList", "IReadOnlyList", "ICollection", "IReadOnlyCollection", "IEnumerable", "HashSet", "ISet", "IReadOnlySet",
    ];
    private static readonly string[] Dictionaries = ["Dictionary", "IDictionary", "IReadOnlyDictionary"];

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>Returns a text as a C# literal and as JSON; null if it is not a value of the type.</summary>
    /// <param name="type">The type as C# spells it, such as <c>double[]</c> or <c>int?</c>.</param>
    /// <param name="text">The text.</param>
    /// <param name="enumNames">The members of the enum that the type is or contains.</param>
    public static (string Literal, JsonNode? Json)? Read(string type, string text, IReadOnlyList<string> enumNames)
    {
        if (type.EndsWith('?')) return TypedText.IsNull(text) ? ("null", null) : Read(type[..^1], text, enumNames);
        if (type.EndsWith("[]", StringComparison.Ordinal)) return List(type[..^2], text, enumNames);
        if (Generic(type) is var (name, arguments) && Lists.Contains(name)) return List(arguments[0], text, enumNames);
        if (Dictionaries.Contains(name) && arguments is ["string", var value]) return Dictionary(value, text, enumNames);
        if (name.Length == 0 && arguments.Count > 1) return Tuple(arguments, text, enumNames);
        return Scalar(type, text) ?? Named(type, text) ?? Enum(type, text, enumNames);
    }

    private static (string Literal, JsonNode? Json)? Scalar(string type, string text) => type switch
    {
        "string" => (SymbolDisplay.FormatLiteral(text, quote: true), text),
        "object" or "dynamic" => Any(text),
        "char" when text.Length == 1 => (SymbolDisplay.FormatLiteral(text[0], quote: true), text),
        "bool" when bool.TryParse(text, out var value) => (value ? "true" : "false", value),
        "byte" or "sbyte" or "short" or "ushort" or "uint" or "ulong" when Whole(type, text) is { } value =>
            (value, Number(value)),
        "int" when int.TryParse(text, NumberStyles.Integer, Invariant, out var value) => (Spelled(value), value),
        "long" when long.TryParse(text, NumberStyles.Integer, Invariant, out var value) => (Spelled(value), value),
        "float" when float.TryParse(text, NumberStyles.Float, Invariant, out var value) => (Float(value), Number(value, value)),
        "double" when double.TryParse(text, NumberStyles.Float, Invariant, out var value) =>
            (Double(value), Number(value, value)),
        "decimal" when decimal.TryParse(text, NumberStyles.Float, Invariant, out var value) => (Spelled(value), value),
        _ => null,
    };

    private static (string Literal, JsonNode? Json)? Any(string text) => TypedText.Json(text) switch
    {
        JsonValue value when value.TryGetValue<bool>(out var flag) => (flag ? "true" : "false", flag),
        JsonValue value when value.TryGetValue<int>(out var number) => (Spelled(number), number),
        JsonValue value when value.TryGetValue<double>(out var number) => (Double(number), number),
        _ when TypedText.IsNull(text) => ("null", null),
        _ => (SymbolDisplay.FormatLiteral(text, quote: true), text),
    };

    /// <summary>Reads types that C# has no literals for, which parse their own text.</summary>
    private static (string Literal, JsonNode? Json)? Named(string type, string text)
    {
        var quoted = SymbolDisplay.FormatLiteral(text, quote: true);
        var isValid = type switch
        {
            "DateTime" => DateTime.TryParse(text, Invariant, DateTimeStyles.RoundtripKind, out _),
            "DateTimeOffset" => DateTimeOffset.TryParse(text, Invariant, out _),
            "DateOnly" => DateOnly.TryParse(text, Invariant, out _),
            "TimeOnly" => TimeOnly.TryParse(text, Invariant, out _),
            "TimeSpan" => TimeSpan.TryParse(text, Invariant, out _),
            "Guid" => Guid.TryParse(text, out _),
            _ => false,
        };
        if (type == "Uri" && Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _))
            return ($"new Uri({quoted}, UriKind.RelativeOrAbsolute)", text);
        var style = type == "DateTime" ? ", System.Globalization.DateTimeStyles.RoundtripKind" : "";
        return isValid ? ($"{type}.Parse({quoted}{(type == "Guid" ? "" : $", {InvariantCulture}{style}")})", text) : null;
    }

    /// <summary>Reads members of an enum, also several of a set of flags; upper and lower case may differ.</summary>
    private static (string Literal, JsonNode? Json)? Enum(string type, string text, IReadOnlyList<string> names)
    {
        var found = text.Split(',').Select(word => names.FirstOrDefault(name => name == word.Trim())
            ?? names.FirstOrDefault(name => name.Equals(word.Trim(), StringComparison.OrdinalIgnoreCase))).ToList();
        if (names.Count == 0 || found.Contains(null)) return null;
        return (string.Join(" | ", found.Select(name => $"{type}.{name}")), string.Join(", ", found));
    }

    private static (string Literal, JsonNode? Json)? List(string element, string text, IReadOnlyList<string> enumNames)
    {
        if (TypedText.IsNull(text)) return ("null", null);
        var items = TypedText.List(text)?.Select(item => Read(element, item, enumNames)).ToList();
        if (items is null || items.Contains(null)) return null;
        return ($"[{string.Join(", ", items.Select(item => item!.Value.Literal))}]", Json(items));
    }

    private static (string Literal, JsonNode? Json)? Tuple(
        IReadOnlyList<string> elements, string text, IReadOnlyList<string> enumNames)
    {
        if (TypedText.List(text) is not { } texts || texts.Count != elements.Count) return null;
        var items = texts.Zip(elements, (item, element) => Read(element.Split(' ')[0], item, enumNames)).ToList();
        if (items.Contains(null)) return null;
        return ($"({string.Join(", ", items.Select(item => item!.Value.Literal))})", Json(items));
    }

    private static (string Literal, JsonNode? Json)? Dictionary(string type, string text, IReadOnlyList<string> enumNames)
    {
        if (TypedText.IsNull(text)) return ("null", null);
        if (TypedText.Object(text) is not { } entries) return null;
        var values = entries.Select(entry => Read(type, entry.Value, enumNames)).ToList();
        if (values.Contains(null)) return null;
        var lines = entries.Zip(values, (entry, value) =>
            $"[{SymbolDisplay.FormatLiteral(entry.Key, quote: true)}] = {value!.Value.Literal}");
        var json = entries.Zip(values, (entry, value) => KeyValuePair.Create(entry.Key, value!.Value.Json?.DeepClone()));
        return ($"new Dictionary<string, {type}> {{ {string.Join(", ", lines)} }}", new JsonObject(json));
    }

    private static JsonArray Json(IEnumerable<(string Literal, JsonNode? Json)?> items) =>
        new([.. items.Select(item => item!.Value.Json?.DeepClone())]);

    /// <summary>
    /// Splits <c>List&lt;int&gt;</c> into its name and arguments; a tuple has no name, another type no arguments.
    /// </summary>
    private static (string Name, IReadOnlyList<string> Arguments) Generic(string type)
    {
        var open = type.IndexOfAny(['<', '(']);
        if (open < 0 || type[^1] is not ('>' or ')') || (type[open] == '(' && open > 0)) return (type, []);
        var (arguments, depth, start) = (new List<string>(), 0, open + 1);
        for (var i = open; i < type.Length; i++)
        {
            if (type[i] is '<' or '(' or '[') depth++;
            if (type[i] is '>' or ')' or ']') depth--;
            if ((type[i] != ',' || depth != 1) && i != type.Length - 1) continue;
            arguments.Add(type[start..i].Trim());
            start = i + 1;
        }
        return (type[..open].Split('.')[^1], arguments);
    }

    private static string? Whole(string type, string text)
    {
        if (!Int128.TryParse(text, NumberStyles.Integer, Invariant, out var value)) return null;
        var (least, most) = type switch
        {
            "byte" => ((Int128)byte.MinValue, (Int128)byte.MaxValue),
            "sbyte" => (sbyte.MinValue, sbyte.MaxValue),
            "short" => (short.MinValue, short.MaxValue),
            "ushort" => (ushort.MinValue, ushort.MaxValue),
            "uint" => (uint.MinValue, uint.MaxValue),
            _ => (ulong.MinValue, ulong.MaxValue),
        };
        return value >= least && value <= most ? value.ToString(Invariant) : null;
    }

    private static string Spelled(object value) => SymbolDisplay.FormatPrimitive(value, quoteStrings: true, false) + value switch
    {
        long => "L",
        float => "f",
        double => "d",
        decimal => "m",
        _ => "",
    };

    private static string Float(float value) => float.IsNaN(value) ? "float.NaN"
        : float.IsInfinity(value) ? value > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity" : Spelled(value);

    private static string Double(double value) => double.IsNaN(value) ? "double.NaN"
        : double.IsInfinity(value) ? value > 0 ? "double.PositiveInfinity" : "double.NegativeInfinity" : Spelled(value);

    /// <summary>
    /// Returns a number as JSON; NaN and infinities become strings, because JSON cannot represent them.
    /// </summary>
    private static JsonNode? Number(double value, JsonNode? number) =>
        double.IsFinite(value) ? number : value.ToString(Invariant);

    private static JsonNode? Number(string digits) => JsonNode.Parse(digits);
}
