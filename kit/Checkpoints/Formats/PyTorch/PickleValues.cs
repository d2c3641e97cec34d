namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>A list or a tuple.</summary>
internal sealed record PickledList(List<object?> Items);

/// <summary>A dict, in its order.</summary>
internal sealed class PickledDict
{
    private static readonly Dictionary<object, object?> None = [];
    private Dictionary<object, object?>? items;   // made with the first pair: an empty dict takes one byte of a file

    public IReadOnlyDictionary<object, object?> Items => items ?? None;

    /// <summary>False where the key is there already.</summary>
    public bool TryAdd(object key, object? value) => (items ??= []).TryAdd(key, value);
}

/// <summary>A function or type that the pickle names; it stays a name.</summary>
internal sealed record PickledGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A plain value that only says itself: a device, a dtype.</summary>
internal sealed record PickledPlain(string Text);

/// <summary>A storage: elements outside the pickle, by a key.</summary>
internal sealed record PickledStorage(string Key, StoredFormat Format, long Count);

/// <summary>A tensor: a window on a storage, in elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides);
