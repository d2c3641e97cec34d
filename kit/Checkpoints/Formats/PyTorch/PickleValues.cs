namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>A list, a tuple or a set.</summary>
internal sealed record PickledList(List<object?> Items);

/// <summary>A dict that keeps the order of its entries.</summary>
internal class PickledDict
{
    private static readonly Dictionary<object, object?> None = [];
    // created with the first pair: a file could hold many empty dicts of one byte each
    private Dictionary<object, object?>? items;

    public IReadOnlyDictionary<object, object?> Items => items ?? None;

    /// <summary>Adds a pair; returns false if the key exists.</summary>
    public bool TryAdd(object key, object? value) => (items ??= []).TryAdd(key, value);
}

/// <summary>
/// A placeholder for an object that only Python code could make: what the pickle says about it, and nothing run.
/// </summary>
/// <param name="type">The class or function that Python would call.</param>
/// <param name="arguments">What it would be called with.</param>
internal sealed class PickledObject(string type, List<object?> arguments) : PickledDict
{
    /// <summary>The class or function that Python would call.</summary>
    public string Type { get; } = type;

    /// <summary>What it would be called with.</summary>
    public List<object?> Arguments { get; } = arguments;

    /// <summary>The object's attributes, usually a dict; null for none.</summary>
    public object? State { get; set; }

    /// <summary>Items that the pickle appends, as to a list.</summary>
    public List<object?>? Appended { get; set; }
}

/// <summary>A function or type that the pickle names; only the name is kept.</summary>
internal sealed record PickledGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A value that is kept as text only: a device, bytes, a long number.</summary>
internal sealed record PickledPlain(string Text);

/// <summary>A storage: elements stored outside the pickle and referred to by a key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Type">Name of its type in PyTorch.</param>
/// <param name="Size">Size of an element in bytes.</param>
/// <param name="Format">Format of the elements; null if the kit does not read them.</param>
/// <param name="Count">Number of elements.</param>
internal sealed record PickledStorage(string Key, string Type, int Size, StoredFormat? Format, long Count);

/// <summary>A tensor: a view of a storage; offset and strides are in elements of <paramref name="Format"/>.</summary>
internal sealed record PickledTensor(PickledStorage Storage, StoredFormat Format, long Offset, long[] Shape, long[] Strides);

/// <summary>A tensor that the kit does not read, such as a quantized one.</summary>
/// <param name="What">What it is: "a quantized tensor".</param>
internal sealed record UnreadTensor(string What);
