namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Interprets the calls of a pickle. The few that make tensors and dicts have a meaning here; every other call becomes a
/// placeholder (<see cref="PickledObject"/>). No code of the pickle runs.
/// </summary>
internal static class PickleCalls
{
    private const string OrderedDict = "collections.OrderedDict", Size = "torch.Size";
    private const int MostAxes = 64;   // libtorch's limit

    /// <summary>Functions whose result is their first argument, a tensor.</summary>
    private static readonly HashSet<string> Parameters = ["torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state"];

    /// <summary>
    /// Functions of a function, a type, the function's arguments and attributes, which make a tensor of that type.
    /// </summary>
    private static readonly HashSet<string> OfType = ["torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
        "torch.tensor._rebuild_from_type"];

    /// <summary>Functions of a class, its base and more, which make an object of that class.</summary>
    private static readonly HashSet<string> Constructors = ["copyreg._reconstructor", "copy_reg._reconstructor",
        "copyreg.__newobj__", "copyreg.__newobj_ex__"];

    /// <summary>Returns the result of a call.</summary>
    /// <exception cref="InvalidDataException">A function that makes tensors or dicts does not take these arguments.</exception>
    public static object Call(PickledGlobal function, List<object?> arguments)
    {
        var name = function.ToString();
        if (OfType.Contains(name) && arguments is [PickledGlobal inner, _, PickledList own, ..]
            && !OfType.Contains(inner.ToString()))
            return Call(inner, own.Items);
        if (Parameters.Contains(name) && arguments is [PickledTensor or UnreadTensor or PickledObject, ..]) return arguments[0]!;
        if (Constructors.Contains(name) && arguments is [PickledGlobal type, ..])
            return new PickledObject($"{type}", arguments[1..]);
        return (name, arguments) switch
        {
            ("torch._utils._rebuild_tensor_v2",
                [PickledStorage storage, long offset, PickledList size, PickledList stride, bool, _, .. var rest]) =>
                Tensor(storage, storage.Format, offset, size, stride, rest),
            ("torch._utils._rebuild_tensor_v3",
                [PickledStorage storage, long offset, PickledList size, PickledList stride, bool, _, PickledGlobal dtype,
                    .. var rest]) =>
                Tensor(storage, TensorTypes.Dtype($"{dtype}"), offset, size, stride, rest, $"{dtype}"),
            ("torch._utils._rebuild_tensor", [PickledStorage storage, long offset, PickledList size, PickledList stride]) =>
                Tensor(storage, storage.Format, offset, size, stride, []),
            ("torch._utils._rebuild_qtensor", _) => new UnreadTensor("a quantized tensor"),
            ("torch._utils._rebuild_sparse_tensor", _) => new UnreadTensor("a sparse tensor"),
            ("torch._utils._rebuild_nested_tensor", _) => new UnreadTensor("a nested tensor"),
            ("torch._utils._rebuild_meta_tensor_no_storage", _) =>
                new UnreadTensor("a tensor without values (of the meta device)"),
            ("torch._utils._rebuild_device_tensor_from_numpy", _) => new UnreadTensor("a tensor of another device"),
            ("torch._utils._rebuild_wrapper_subclass", _) => new UnreadTensor("a tensor of a class of its own"),
            ("torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor_v3" or "torch._utils._rebuild_tensor", _) =>
                throw new InvalidDataException($"{name} is called with arguments that it does not accept"),
            (OrderedDict, []) => new PickledDict(),
            (OrderedDict, [PickledList pairs]) => Dict(pairs),
            (Size, [PickledList sizes]) => sizes,
            _ => new PickledObject(name, arguments),
        };
    }

    /// <summary>
    /// Returns the storage of a persistent id: ('storage', type, key, device, number of elements), followed by None
    /// or a view in the older stream format.
    /// </summary>
    /// <exception cref="InvalidDataException">The id has another form.</exception>
    public static PickledStorage Storage(List<object?> id) => id switch
    {
        ["storage", PickledGlobal type, string key, string, long count, ..] when id.Count == 5
            || (id.Count == 6 && id[5] is null) =>
            TensorTypes.Storage($"{type}") is { } known && count >= 0
                ? new PickledStorage(key, $"{type}", known.Size, known.Format, count)
            : throw new InvalidDataException($"a storage has {count} elements of {type}; "
                + "expected at least 0 of a known type"),
        _ => throw new InvalidDataException("a storage has a persistent id other than ('storage', type, key, device, "
            + "number of elements)"),
    };

    private static object Tensor(PickledStorage storage, StoredFormat? format, long offset, PickledList size, PickledList stride,
        List<object?> rest, string? dtype = null)
    {
        if (format is null) return new UnreadTensor($"a tensor of {dtype ?? storage.Type}");
        if (rest is [PickledDict { Items.Count: > 0 } bits, ..] && bits.Items.Values.Any(bit => bit is true))
            return new UnreadTensor("a tensor stored as conjugate or negative");
        var shape = Numbers(size);
        var strides = Numbers(stride);
        if (shape.Length != strides.Length || shape.Length > MostAxes || offset < 0)
            throw new InvalidDataException($"a tensor has {shape.Length} sizes and {strides.Length} strides at element "
                + $"{offset}; expected as many of both, at most {MostAxes}");
        try
        {
            var available = checked(storage.Count * storage.Size) / format.Size;
            var count = shape.Aggregate(1L, (product, length) => checked(product * length));
            var end = count == 0 ? 0 : checked(offset + 1 + shape.Zip(strides, (length, step) => checked((length - 1) * step))
                .Aggregate(0L, (sum, step) => checked(sum + step)));
            _ = shape.Aggregate(1L, (product, length) => checked(product * Math.Max(1, length)));
            if (end <= available && count <= available) return new PickledTensor(storage, format, offset, shape, strides);
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
            if (pair is not PickledList { Items: [{ } key, var value] } || !dict.TryAdd(key, value))
                throw new InvalidDataException("an OrderedDict is built from something other than pairs with distinct keys");
        return dict;
    }
}
