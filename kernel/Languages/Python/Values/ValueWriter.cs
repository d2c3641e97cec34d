using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Writes a .NET value for Python in the JSON format that start_python.py describes.</summary>
internal sealed class ValueWriter(Utf8JsonWriter json, PythonFolder folder, string number, string name)
{
    private const int Deepest = 100;
    private const int MostValues = 5_000_000;
    private readonly HashSet<object> above = new(ReferenceEqualityComparer.Instance);
    private int count;
    private int files;

    /// <exception cref="ArgumentException">
    /// The value has no equivalent in Python; the message names its type.
    /// </exception>
    public void Write(object? value)
    {
        if (++count > MostValues)
            throw new ArgumentException($"{name} has more than {MostValues:N0} values, which are too many to be passed to "
                + "Python; share an array of numbers or a tensor.");
        if (TryWriteSimple(value)) return;
        if (above.Count > Deepest)
            throw new ArgumentException($"{name} is nested deeper than {Deepest} levels and cannot be passed to Python.");
        if (!above.Add(value!))
            throw new ArgumentException(
                $"{name} has a {value!.GetType()} that contains itself, which cannot be passed to Python.");
        WriteParts(value!);
        above.Remove(value!);
    }

    private bool TryWriteSimple(object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case string text: json.WriteStringValue(text); break;
            case char letter: json.WriteStringValue([letter]); break;
            case Enum member: json.WriteStringValue(member.ToString()); break;
            case sbyte or byte or short or ushort or int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case ulong or Int128 or UInt128 or BigInteger:
                Tagged("int", ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case Half number: Number((double)number); break;
            case float number: Number(number); break;
            case double number: Number(number); break;
            case Complex number: Pair("complex", () => Number(number.Real), () => Number(number.Imaginary)); break;
            case torch.Tensor tensor: Tensor(tensor); break;
            case Array array when ElementTypes.Of(array.GetType().GetElementType()!) is var (kind, size):
                Numbers(kind, [.. Enumerable.Range(0, array.Rank).Select(array.GetLongLength)], false, file =>
                    RawNumbers.Write(file, array, size));
                break;
            default:
                if (NamedValues.TryWrite(value) is var (tag, words) && tag is not null) Tagged(tag, words);
                else if (value is Uri or Version or System.Text.StringBuilder) json.WriteStringValue(value.ToString());
                else return false;
                break;
        }
        return true;
    }

    private void WriteParts(object value)
    {
        switch (value)
        {
            case JsonDocument document: Json(document.RootElement); break;
            case JsonElement element: Json(element); break;
            case JsonNode node: Json(JsonSerializer.SerializeToElement(node)); break;
            case { } token when token.GetType().FullName == "Newtonsoft.Json.Linq.JValue":
                Write(token.GetType().GetProperty("Value")!.GetValue(token));
                break;
            case ITuple tuple: List("tuple", Enumerable.Range(0, tuple.Length).Select(i => tuple[i])); break;
            case Array { Rank: > 1 } array: Rows(array, []); break;
            case IEnumerable pairs when ObjectParts.IsDictionary(value.GetType()):
                Dictionary(pairs.Cast<object>().Select(ObjectParts.Pair));
                break;
            case IEnumerable items when ObjectParts.IsSet(value.GetType()): List("set", items.Cast<object?>()); break;
            case IEnumerable items when value is not IDisposable || value is ICollection || items.GetType().IsNested:
                List(null, items.Cast<object?>());
                break;
            default:
                var parts = ObjectParts.Of(value, name) ?? throw Refused(value);
                if (parts.IsValue) Write(parts.Value);
                else Dictionary(parts.Members);
                break;
        }
    }

    private ArgumentException Refused(object value) => new(
        $"{name} has a value of type {value.GetType()}, which cannot be passed to Python; share its parts instead: "
            + "numbers, texts, arrays, lists, dictionaries or tensors.");

    private void Tagged(string kind, string text)
    {
        json.WriteStartObject();
        json.WriteString(kind, text);
        json.WriteEndObject();
    }

    private void Pair(string kind, Action first, Action second)
    {
        json.WriteStartObject();
        json.WriteStartArray(kind);
        first();
        second();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// Writes a float with a decimal point or an exponent, because Python would read 1 as an int.
    /// </summary>
    private void Number(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        if (!double.IsFinite(number)) Tagged("float", double.IsNaN(number) ? "nan" : number > 0 ? "inf" : "-inf");
        else json.WriteRawValue(text.AsSpan().IndexOfAny('.', 'E') < 0 ? $"{text}.0" : text, skipInputValidation: true);
    }

    private void Tensor(torch.Tensor tensor)
    {
        if (tensor.IsInvalid) throw new ArgumentException($"{name} is a tensor that has been disposed.");
        if (tensor.is_sparse || ElementTypes.Of(tensor.dtype) is not { } kind)
            throw new ArgumentException($"{name} is a {(tensor.is_sparse ? "sparse " : "")}tensor of {tensor.dtype}, which "
                + "cannot be passed to Python; share its dense values as float32.");
        Numbers(kind, tensor.shape, true, file => RawNumbers.Write(file, tensor));
    }

    private void Numbers(string kind, long[] shape, bool isTensor, Action<FileStream> write)
    {
        var name = $"{number}.{++files}.in.bin";
        using (var file = folder.Create(name)) write(file);
        json.WriteStartObject();
        json.WriteStartObject("array");
        json.WriteString("file", name);
        json.WriteString("dtype", kind);
        json.WriteStartArray("shape");
        foreach (var size in shape) json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteBoolean("tensor", isTensor);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Dictionary(IEnumerable<(object Key, object? Value)> pairs)
    {
        json.WriteStartObject();
        json.WriteStartArray("dict");
        foreach (var (key, value) in pairs)
        {
            if (key is not string && !key.GetType().IsValueType) throw new ArgumentException(
                $"{name} has a dictionary with a key of type {key.GetType()}; a key for Python is a string, a bool, a number, a "
                    + "date, an enum or a tuple of these.");
            json.WriteStartArray();
            Write(key);
            Write(value);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void List(string? kind, IEnumerable<object?> items)
    {
        if (kind is not null) json.WriteStartObject();
        if (kind is null) json.WriteStartArray();
        else json.WriteStartArray(kind);
        foreach (var item in items) Write(item);
        json.WriteEndArray();
        if (kind is not null) json.WriteEndObject();
    }

    /// <summary>Writes an array of several dimensions as lists in lists.</summary>
    private void Rows(Array array, int[] place)
    {
        json.WriteStartArray();
        for (var i = 0; i < array.GetLength(place.Length); i++)
        {
            int[] next = [.. place, i];
            if (next.Length == array.Rank) Write(array.GetValue(next));
            else Rows(array, next);
        }
        json.WriteEndArray();
    }

    private void Json(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                Dictionary(element.EnumerateObject().Select(entry => ((object)entry.Name, (object?)entry.Value)));
                break;
            case JsonValueKind.Array: List(null, element.EnumerateArray().Select(item => (object?)item)); break;
            case JsonValueKind.String: json.WriteStringValue(element.GetString()); break;
            case JsonValueKind.Null or JsonValueKind.Undefined: json.WriteNullValue(); break;
            case JsonValueKind.Number when element.GetRawText().AsSpan().IndexOfAny(".eE") >= 0:
                Number(element.GetDouble());
                break;
            case JsonValueKind.Number:
                Write(BigInteger.Parse(element.GetRawText(), CultureInfo.InvariantCulture));
                break;
            default: json.WriteBooleanValue(element.ValueKind == JsonValueKind.True); break;
        }
    }
}
