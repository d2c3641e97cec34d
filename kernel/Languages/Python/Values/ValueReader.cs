using System.Globalization;
using System.Numerics;
using System.Text.Json;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Reads a value of Python, in the words that start_python.py describes. Nothing of it is run as code.</summary>
internal sealed class ValueReader(PythonFolder folder)
{
    /// <summary>
    /// Ints come as long, whole lists of one type as an array of it, numpy arrays and torch tensors as tensors.
    /// </summary>
    /// <exception cref="InvalidDataException">It is not in those words.</exception>
    public object? Read(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number when value.GetRawText().AsSpan().IndexOfAny(".eE") >= 0 => value.GetDouble(),
        JsonValueKind.Number => value.GetInt64(),
        JsonValueKind.Array => List(value),
        _ => Tagged(value.EnumerateObject().First()),
    };

    private object Tagged(JsonProperty tagged) => tagged.Name switch
    {
        "int" => BigInteger.Parse(tagged.Value.GetString()!, CultureInfo.InvariantCulture),
        "float" => tagged.Value.GetString() switch
        {
            "nan" => double.NaN,
            "inf" => double.PositiveInfinity,
            _ => double.NegativeInfinity,
        },
        "complex" => new Complex((double)Read(tagged.Value[0])!, (double)Read(tagged.Value[1])!),
        "bytes" => tagged.Value.GetBytesFromBase64(),
        "dict" => Dictionary(tagged.Value),
        "array" => Tensor(tagged.Value),
        var other => throw new InvalidDataException($"Python sent a value of the kind '{other}', which nobody knows."),
    };

    /// <summary>The narrowest array that holds all items; ints among floats become floats.</summary>
    private Array List(JsonElement value)
    {
        object?[] items = [.. value.EnumerateArray().Select(Read)];
        var types = items.Select(item => item?.GetType()).Distinct().ToList();
        if (types.Count == 2 && types.Contains(typeof(long)) && types.Contains(typeof(double)))
            return Array.ConvertAll(items, item => Convert.ToDouble(item, CultureInfo.InvariantCulture));
        if (types is not [{ } only]) return items;
        var array = Array.CreateInstance(only, items.Length);
        for (var i = 0; i < items.Length; i++) array.SetValue(items[i], i);
        return array;
    }

    private object Dictionary(JsonElement value)
    {
        var pairs = value.EnumerateArray()
            .Select(pair =>
                (Key: Read(pair[0]) ?? throw new NotSupportedException(
                    "A dict has the key None, which no dictionary here can have."), Value: Read(pair[1]))).ToList();
        return pairs.All(pair => pair.Key is string)
            ? pairs.ToDictionary(pair => (string)pair.Key, pair => pair.Value)
            : pairs.ToDictionary(pair => pair.Key, pair => pair.Value);
    }

    private torch.Tensor Tensor(JsonElement value)
    {
        long[] shape = [.. value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];
        var tensor = torch.empty(shape, ElementTypes.Parse(value.GetProperty("dtype").GetString()!));
        try
        {
            RawNumbers.Read(folder.PathTo(Path.GetFileName(value.GetProperty("file").GetString()!)), tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }
}
