namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Finds the state dict in an unpickled object, which may also hold an optimizer, settings and counters.
/// </summary>
internal static class StateDictSearch
{
    /// <summary>Returns the entries of the state dict.</summary>
    /// <param name="path">Path of the file, for error messages.</param>
    /// <param name="root">The unpickled object.</param>
    /// <param name="key">Name of the state dict in the root; null for the only one.</param>
    /// <param name="starts">File offset of each storage's elements, by storage key.</param>
    public static List<CheckpointEntry> Entries(string path, object? root, string? key, Dictionary<string, long> starts)
    {
        if (root is not PickledDict dict)
            throw new InvalidDataException($"{path} holds {Kind(root)}; expected a dict of tensors.");
        var found = Find(path, dict, key);
        if (found.Items.Count > 0 && !HasTensors(found))
            throw new InvalidDataException($"{path} holds no tensors; it has {string.Join(", ", found.Items.Keys.Take(10))}.");
        return [.. found.Items.Where(pair => pair.Value is PickledTensor)
            .Select(pair => Entry(pair.Key as string ?? throw new InvalidDataException($"{path} has a tensor with the name "
                + $"{pair.Key}; expected a string as its name."),
                (PickledTensor)pair.Value!, starts))];
    }

    private static PickledDict Find(string path, PickledDict root, string? key)
    {
        var inner = root.Items.Where(pair => pair.Key is string && pair.Value is PickledDict dict && HasTensors(dict))
            .ToDictionary(pair => (string)pair.Key, pair => (PickledDict)pair.Value!);
        if (key is not null)
            return inner.TryGetValue(key, out var chosen) ? chosen
                : throw new InvalidDataException($"{path} has no state dict '{key}'; "
                    + $"it has {(inner.Count == 0 ? "no named ones" : string.Join(", ", inner.Keys))}.");
        return inner.Count switch
        {
            0 => root,
            1 => inner.Values.Single(),
            _ => throw new InvalidDataException($"{path} has several state dicts: {string.Join(", ", inner.Keys)}. "
                + "Choose one with the argument 'key'."),
        };
    }

    private static bool HasTensors(PickledDict dict) => dict.Items.Values.Any(value => value is PickledTensor);

    private static CheckpointEntry Entry(string name, PickledTensor tensor, Dictionary<string, long> starts)
    {
        var format = tensor.Storage.Format;
        var storage = starts[tensor.Storage.Key];
        return new CheckpointEntry(name, format, tensor.Shape, storage + (tensor.Offset * format.Size))
        {
            StorageStart = storage,
            Strides = IsRowMajor(tensor) ? null : tensor.Strides,
        };
    }

    private static bool IsRowMajor(PickledTensor tensor)
    {
        var step = 1L;
        for (var axis = tensor.Shape.Length - 1; axis >= 0; step *= Math.Max(1, tensor.Shape[axis]), axis--)
            if (tensor.Shape[axis] > 1 && tensor.Strides[axis] != step) return false;
        return true;
    }

    private static string Kind(object? value) => value switch
    {
        null => "None",
        PickledList => "a list",
        PickledTensor => "a single tensor",
        _ => "a plain value",
    };
}
