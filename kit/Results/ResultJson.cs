using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ResearchKit.Results;

/// <summary>Writes results as JSON; numbers that are not finite are null, as JSON has none.</summary>
internal static class ResultJson
{
    private static readonly JsonWriterOptions Options =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes an object.</summary>
    /// <param name="title">Its title.</param>
    /// <param name="unit">The unit of its numbers.</param>
    /// <param name="evidence">Its evidence; null for none.</param>
    /// <param name="properties">Writes its other properties.</param>
    public static string Write(string title, string unit, Evidence? evidence, Action<Utf8JsonWriter> properties)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            if (title.Length > 0) json.WriteString("title", title);
            if (title.Length > 0) json.WriteString("unit", unit);
            properties(json);
            if (evidence is not null) Write(json, evidence);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public static void Texts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    /// <summary>Writes a matrix as an array of rows.</summary>
    public static void Matrix<T>(this Utf8JsonWriter json, string name, T[,] values, Action<T> write)
    {
        json.WriteStartArray(name);
        for (var row = 0; row < values.GetLength(0); row++)
        {
            json.WriteStartArray();
            for (var column = 0; column < values.GetLength(1); column++) write(values[row, column]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    public static void Number(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.Value(value);
    }

    public static void Value(this Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteNullValue();
    }

    /// <summary>Writes a value of a table.</summary>
    public static void Any(this Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case long or int or short or byte: json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case double or float or decimal: json.Value(Convert.ToDouble(value, CultureInfo.InvariantCulture)); break;
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static void Write(Utf8JsonWriter json, Evidence evidence)
    {
        json.WriteStartObject("evidence");
        json.WriteString("law", evidence.Law);
        json.Number("error", evidence.Error);
        json.Number("tolerance", evidence.Tolerance);
        json.WriteBoolean("holds", evidence.Holds);
        json.WriteNumber("forwardPasses", evidence.ForwardPasses);
        json.WriteNumber("backwardPasses", evidence.BackwardPasses);
        json.Number("seconds", evidence.Seconds);
        json.WriteNumber("peakBytes", evidence.PeakBytes);
        json.Texts("notes", evidence.Notes);
        json.WriteEndObject();
    }
}
