using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>The value of a parameter for a run: as C# code, and as JSON for the run record.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Literal">The value as a C# literal.</param>
/// <param name="Json">The value for the run record.</param>
public sealed record ParameterValue(Parameter Parameter, string Literal, JsonNode? Json)
{
    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    /// <summary>
    /// The statement that declares the variable again, which works for <c>const</c> and <c>readonly</c> variables
    /// too.
    /// </summary>
    public string Declaration => $"{Parameter.Type} {Parameter.Name} = {Literal};";

    /// <summary>Parses the value as typed on the command line, independent of the culture.</summary>
    /// <exception cref="ArgumentException">The text is not a value of the parameter's type.</exception>
    public static ParameterValue Parse(Parameter parameter, string text)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var (literal, json) = Read(parameter, text) ?? throw new ArgumentException(Refusal(parameter, text));
        return new ParameterValue(parameter, literal, json);
    }

    private static (string Literal, JsonNode? Json)? Read(Parameter parameter, string text) => parameter.Type.TrimEnd('?') switch
    {
        "string" => (SymbolDisplay.FormatLiteral(text, quote: true), text),
        "bool" when bool.TryParse(text, out var value) => (value ? "true" : "false", value),
        "int" when int.TryParse(text, NumberStyles.Integer, Invariant, out var value) => (Spelled(value), value),
        "long" when long.TryParse(text, NumberStyles.Integer, Invariant, out var value) => (Spelled(value), value),
        "float" when float.TryParse(text, NumberStyles.Float, Invariant, out var value) => (Float(value), Number(value, value)),
        "double" when double.TryParse(text, NumberStyles.Float, Invariant, out var value) =>
            (Double(value), Number(value, value)),
        "decimal" when decimal.TryParse(text, NumberStyles.Float, Invariant, out var value) => (Spelled(value), value),
        var type when parameter.Values.Contains(text) => ($"{type}.{text}", text),
        _ => null,
    };

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

    private static string Refusal(Parameter parameter, string text) => parameter.Values.Count > 0
        ? $"{parameter.Name} is a {parameter.Type}; '{text}' is not one. Known: {string.Join(", ", parameter.Values)}."
        : $"{parameter.Name} is {(parameter.Type is "int" ? "an" : "a")} {parameter.Type}; '{text}' is not one.";
}
