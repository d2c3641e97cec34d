namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>Names of PyTorch's storage types and dtypes, with the format of their elements.</summary>
internal static class TensorTypes
{
    private static readonly (string Storage, string Dtype, string Format)[] Known =
    [
        ("Double", "float64", "F64"), ("Float", "float32", "F32"), ("Half", "float16", "F16"), ("BFloat16", "bfloat16", "BF16"),
        ("Long", "int64", "I64"), ("Int", "int32", "I32"), ("Short", "int16", "I16"), ("Char", "int8", "I8"),
        ("Byte", "uint8", "U8"), ("Bool", "bool", "BOOL"), ("ComplexFloat", "complex64", "C64"),
        ("", "uint16", "U16"), ("", "uint32", "U32"), ("", "uint64", "U64"),
        ("", "float8_e4m3fn", "F8_E4M3"), ("", "float8_e5m2", "F8_E5M2"), ("", "float8_e8m0fnu", "F8_E8M0"),
        ("", "double", "F64"), ("", "float", "F32"), ("", "half", "F16"), ("", "long", "I64"), ("", "int", "I32"),
    ];

    /// <summary>Element sizes in bytes of storages whose tensors are passed over.</summary>
    private static readonly Dictionary<string, int> Unread = new()
    {
        ["ComplexDouble"] = 16,
        ["ComplexHalf"] = 4,
        ["QInt8"] = 1,
        ["QUInt8"] = 1,
        ["QInt32"] = 4,
        ["QUInt4x2"] = 1,
        ["QUInt2x4"] = 1,
    };

    private static readonly string[] Untyped =
        ["torch.storage.UntypedStorage", "torch.storage._UntypedStorage", "torch.UntypedStorage", "torch._UntypedStorage"];

    /// <summary>
    /// Returns the element size and format of a storage type such as <c>torch.FloatStorage</c>; null if there is no such type.
    /// The format is null if the kit does not read its tensors.
    /// </summary>
    public static (int Size, StoredFormat? Format)? Storage(string type)
    {
        if (Untyped.Contains(type)) return (1, StoredFormat.Named("U8"));
        const string module = "torch.", cuda = "cuda.", ending = "Storage";
        if (!type.StartsWith(module, StringComparison.Ordinal) || !type.EndsWith(ending, StringComparison.Ordinal)) return null;
        var name = type[module.Length..^ending.Length];
        if (name.StartsWith(cuda, StringComparison.Ordinal)) name = name[cuda.Length..];   // files before PyTorch 1.0
        if (Unread.TryGetValue(name, out var size)) return (size, null);
        return name.Length > 0 && Known.FirstOrDefault(known => known.Storage == name).Format is { } format
            ? (StoredFormat.Named(format)!.Size, StoredFormat.Named(format)) : null;
    }

    /// <summary>Returns the format of a dtype such as <c>torch.float32</c>; null if the kit does not read it.</summary>
    public static StoredFormat? Dtype(string name) =>
        Known.FirstOrDefault(known => $"torch.{known.Dtype}" == name).Format is { } format ? StoredFormat.Named(format) : null;
}
