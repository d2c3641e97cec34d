using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Writes a .NET value for Python in the JSON format that start_python.py describes.</summary>
internal sealed class ValueWriter(Utf8JsonWriter json, PythonFolder folder, string number, string name)
{
    private const int Deepest = 100;
    private int files;

    /// <exception cref="ArgumentException">
    /// The value has no equivalent in Python; the message names its type.
    /// </exception>
    public void Write(object? value, int depth = 0)
    {
        if (depth > Deepest)
            throw new ArgumentException($"{name} is nested deeper than {Deepest} levels and "
                + "cannot be passed to Python.");
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case string text: json.WriteStringValue(text); break;
            case char letter: json.WriteStringValue([letter]); break;
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
            case IDictionary dictionary: Dictionary(dictionary, depth); break;
            case Array { Rank: > 1 }: throw Refused(value);
            case ICollection list: List(list, depth); break;
            default: throw Refused(value);
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

    private void Dictionary(IDictionary dictionary, int depth)
    {
        json.WriteStartObject();
        json.WriteStartArray("dict");
        foreach (DictionaryEntry entry in dictionary)
        {
            if (entry.Key is not (string or bool or char or int or long or double)) throw new ArgumentException(
                $"{name} has a dictionary with a key of type {entry.Key.GetType()}; a key for Python is a string, a bool or a "
                    + $"number.");
            json.WriteStartArray();
            Write(entry.Key, depth + 1);
            Write(entry.Value, depth + 1);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void List(ICollection list, int depth)
    {
        json.WriteStartArray();
        foreach (var item in list) Write(item, depth + 1);
        json.WriteEndArray();
    }
}
