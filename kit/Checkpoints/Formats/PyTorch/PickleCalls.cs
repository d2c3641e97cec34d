namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Interprets the functions and types that a state dict's pickle may name. No code of the pickle runs.
/// </summary>
internal static class PickleCalls
{
    private const string RebuildTensor = "torch._utils._rebuild_tensor_v2", RebuildOldTensor = "torch._utils._rebuild_tensor",
        RebuildParameter = "torch._utils._rebuild_parameter", OrderedDict = "collections.OrderedDict",
            Size = "torch.Size", Device = "torch.device";

    private const int MostAxes = 64;   // libtorch's limit

    private static readonly Dictionary<string, string> Storages = new()
    {
        ["torch.DoubleStorage"] = "F64",
        ["torch.FloatStorage"] = "F32",
        ["torch.HalfStorage"] = "F16",
        ["torch.BFloat16Storage"] = "BF16",
        ["torch.LongStorage"] = "I64",
        ["torch.IntStorage"] = "I32",
        ["torch.ShortStorage"] = "I16",
        ["torch.CharStorage"] = "I8",
        ["torch.ByteStorage"] = "U8",
        ["torch.BoolStorage"] = "BOOL",
        ["torch.ComplexFloatStorage"] = "C64",
    };

    private static readonly HashSet<string> Dtypes = [.. new[] { "float64", "float32", "float16", "bfloat16", "int64", "int32",
        "int16", "int8", "uint8", "bool" }.Select(name => $"torch.{name}")];

    private static readonly HashSet<string> Functions =
        [RebuildTensor, RebuildOldTensor, RebuildParameter, OrderedDict, Size, Device];

    /// <summary>Returns whether a state dict may contain this name.</summary>
    public static bool Allows(PickledGlobal global)
    {
        var name = global.ToString();
        return Functions.Contains(name) || Storages.ContainsKey(name) || Dtypes.Contains(name);
    }

    /// <summary>Returns the result of calling a named function.</summary>
    /// <exception cref="InvalidDataException">The function does not take these arguments.</exception>
    public static object Call(PickledGlobal function, List<object?> arguments) => (function.ToString(), arguments) switch
    {
        (RebuildTensor, [PickledStorage storage, long offset, PickledList size, PickledList stride, bool,
            PickledDict { Items.Count: 0 }, ..]) =>
            Tensor(storage, offset, size, stride),
        (RebuildOldTensor, [PickledStorage storage, long offset, PickledList size, PickledList stride]) =>
            Tensor(storage, offset, size, stride),
        (RebuildParameter, [PickledTensor data, bool, PickledDict { Items.Count: 0 }]) => data,
        (OrderedDict, []) => new PickledDict(),
        (OrderedDict, [PickledList pairs]) => Dict(pairs),
        (Size, [PickledList sizes]) => sizes,
        (Device, [string name, ..]) => new PickledPlain(name),
        _ => throw new InvalidDataException($"{function} is called with arguments that it does not accept"),
    };

    /// <summary>
    /// Returns the storage of a persistent id: ('storage', type, key, device, number of elements), followed by None
    /// in the older stream format.
    /// </summary>
    /// <exception cref="InvalidDataException">The id has another form.</exception>
    public static PickledStorage Storage(List<object?> id) => id switch
    {
        ["storage", PickledGlobal type, string key, string, long count, ..] when id.Count == 5
            || (id.Count == 6 && id[5] is null) =>
            Storages.TryGetValue(type.ToString(), out var format) && count >= 0
                ? new PickledStorage(key, StoredFormat.Named(format)!, count)
            : throw new InvalidDataException($"a storage has {count} elements of {type}; "
                + "expected at least 0 of a known type"),
        _ => throw new InvalidDataException("a storage has a persistent id other than ('storage', type, key, device, "
            + "number of elements)"),
    };

    private static PickledTensor Tensor(PickledStorage storage, long offset, PickledList size, PickledList stride)
    {
        var shape = Numbers(size);
        var strides = Numbers(stride);
        if (shape.Length != strides.Length || shape.Length > MostAxes || offset < 0)
            throw new InvalidDataException($"a tensor has {shape.Length} sizes and {strides.Length} strides at element "
                + $"{offset}; expected as many of both, at most {MostAxes}");
        try
        {
            var count = shape.Aggregate(1L, (product, length) => checked(product * length));
            var end = count == 0 ? 0 : checked(offset + 1 + shape.Zip(strides, (length, step) => checked((length - 1) * step))
                .Aggregate(0L, (sum, step) => checked(sum + step)));
            _ = shape.Aggregate(1L, (product, length) => checked(product * Math.Max(1, length)));
            if (end <= storage.Count && count <= storage.Count) return new PickledTensor(storage, offset, shape, strides);
        }
        catch (OverflowException)
        {
            // reported below
        }
        throw new InvalidDataException($"a tensor of shape [{string.Join(", ", shape)}], strides "
            + $"[{string.Join(", ", strides)}] and offset {offset} "
            + $"exceeds storage '{storage.Key}' of {storage.Count} elements");
    }

    private static long[] Numbers(PickledList list) => [.. list.Items.Select(item => item is long number and >= 0 ? number
        : throw new InvalidDataException($"a size or stride is {item ?? "None"}; expected a number of at least 0"))];

    private static PickledDict Dict(PickledList pairs)
    {
        var dict = new PickledDict();
        foreach (var pair in pairs.Items)
            if (pair is not PickledList { Items: [string or long, _] } both || !dict.TryAdd(both.Items[0]!, both.Items[1]))
                throw new InvalidDataException("an OrderedDict is built from something other than pairs with distinct keys");
        return dict;
    }
}
