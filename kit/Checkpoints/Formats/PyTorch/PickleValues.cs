namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>A list or a tuple.</summary>
internal sealed record PickledList(List<object?> Items);

/// <summary>A dict that keeps the order of its entries.</summary>
internal sealed class PickledDict
{
    private static readonly Dictionary<object, object?> None = [];
    // created with the first pair: a file could hold many empty dicts of one byte each
    private Dictionary<object, object?>? items;

    public IReadOnlyDictionary<object, object?> Items => items ?? None;

    /// <summary>Adds a pair; returns false if the key exists.</summary>
    public bool TryAdd(object key, object? value) => (items ??= []).TryAdd(key, value);
}

/// <summary>A function or type that the pickle names; only the name is kept.</summary>
internal sealed record PickledGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A value that is kept as text only: a device or a dtype.</summary>
internal sealed record PickledPlain(string Text);

/// <summary>A storage: elements stored outside the pickle and referred to by a key.</summary>
internal sealed record PickledStorage(string Key, StoredFormat Format, long Count);

/// <summary>A tensor: a view of a storage; offset and strides are in elements.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides);
