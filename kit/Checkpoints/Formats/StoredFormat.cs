using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Storage format of a tensor's elements in a file, and the dtype that they are read as.</summary>
/// <param name="Name">The format's name in safetensors: <c>F32</c>.</param>
/// <param name="Size">Size of an element in bytes.</param>
/// <param name="Stored">The dtype with the same memory layout as in the file.</param>
/// <param name="DType">
/// The dtype of the tensor after reading; differs from <paramref name="Stored"/> where libtorch lacks a dtype.
/// </param>
internal sealed record StoredFormat(string Name, int Size, ScalarType Stored, ScalarType DType)
{
    private static readonly StoredFormat[] All =
    [
        new("F64", 8, ScalarType.Float64), new("F32", 4, ScalarType.Float32), new("F16", 2, ScalarType.Float16),
        new("BF16", 2, ScalarType.BFloat16),
        new("I64", 8, ScalarType.Int64), new("I32", 4, ScalarType.Int32), new("I16", 2, ScalarType.Int16),
        new("I8", 1, ScalarType.Int8),
        new("U8", 1, ScalarType.Byte), new("BOOL", 1, ScalarType.Bool), new("C64", 8, ScalarType.ComplexFloat32),
        new("U16", 2, ScalarType.Int16, ScalarType.Int32), new("U32", 4, ScalarType.Int32, ScalarType.Int64),
        new("U64", 8, ScalarType.Int64),
        new("F8_E4M3", 1, ScalarType.Byte), new("F8_E5M2", 1, ScalarType.Byte), new("F8_E8M0", 1, ScalarType.Byte),
    ];

    private StoredFormat(string name, int size, ScalarType dtype) : this(name, size, dtype, dtype)
    {
    }

    /// <summary>Names of all formats.</summary>
    public static string Known => string.Join(", ", All.Select(format => format.Name));

    /// <summary>True for formats that are read as raw bytes instead of numbers.</summary>
    public bool IsBytes => Name.StartsWith("F8", StringComparison.Ordinal);

    /// <summary>Returns the format of a name; null if the name is unknown.</summary>
    public static StoredFormat? Named(string name) => All.FirstOrDefault(format => format.Name == name);

    /// <summary>Returns the format that stores a dtype; null if safetensors does not support it.</summary>
    // the first match, so that bytes are stored as U8
    public static StoredFormat? Of(ScalarType dtype) =>
        All.FirstOrDefault(format => format.Stored == dtype && format.DType == dtype);

    /// <summary>
    /// Converts a tensor as stored to <see cref="DType"/>; returns the same tensor if nothing differs.
    /// </summary>
    /// <exception cref="InvalidDataException">A value does not fit <see cref="DType"/>.</exception>
    public Tensor ToTensor(Tensor stored) => Name switch
    {
        "U16" => stored.to(DType).bitwise_and_(0xFFFF),
        "U32" => stored.to(DType).bitwise_and_(0xFFFF_FFFFL),
        "U64" when stored.numel() > 0 && stored.min().item<long>() < 0 =>
            throw new InvalidDataException("its format is U64, and values above 9223372036854775807 fit no dtype of "
                + "libtorch"),
        _ => stored,
    };
}
