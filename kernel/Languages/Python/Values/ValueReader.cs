using System.Globalization;
using System.Numerics;
using System.Text.Json;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Reads a Python value in the JSON format that start_python.py describes. No code is run.</summary>
internal sealed class ValueReader(PythonFolder folder)
{
    /// <summary>
    /// Returns the value: an int as long (as BigInteger if too large), a list of elements of one type as an array
    /// of that type, a NumPy array or PyTorch tensor as a tensor.
    /// </summary>
    /// <exception cref="InvalidDataException">The value is not in that format.</exception>
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
        "set" => Set(tagged.Value),
        "array" => Tensor(tagged.Value),
        var kind when tagged.Value.ValueKind == JsonValueKind.String
            && NamedValues.Read(kind, tagged.Value.GetString()!) is { } named => named,
        var other => throw new InvalidDataException($"Python sent a value of the unknown kind '{other}'."),
    };

    /// <summary>
    /// Returns an array of the items' common type; a mix of ints and floats becomes floats, any other mix objects.
    /// </summary>
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

    /// <summary>Returns a set of the items' common type.</summary>
    private object Set(JsonElement value)
    {
        var items = List(value);
        var type = typeof(HashSet<>).MakeGenericType(items.GetType().GetElementType()!);
        return Activator.CreateInstance(type, items)!;
    }

    private object Dictionary(JsonElement value)
    {
        var pairs = value.EnumerateArray().Select(pair => (Key: Read(pair[0]) ?? throw new NotSupportedException("The "
            + "dict has the key None, which a .NET dictionary cannot have."), Value: Read(pair[1]))).ToList();
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
