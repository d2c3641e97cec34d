using System.Numerics;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Element types of arrays and tensors by the names in NumPy and PyTorch.</summary>
internal static class ElementTypes
{
    private static readonly Dictionary<torch.ScalarType, string> Tensors = new()
    {
        [torch.ScalarType.Bool] = "bool",
        [torch.ScalarType.Int8] = "int8",
        [torch.ScalarType.Byte] = "uint8",
        [torch.ScalarType.Int16] = "int16",
        [torch.ScalarType.Int32] = "int32",
        [torch.ScalarType.Int64] = "int64",
        [torch.ScalarType.Float16] = "float16",
        [torch.ScalarType.BFloat16] = "bfloat16",
        [torch.ScalarType.Float32] = "float32",
        [torch.ScalarType.Float64] = "float64",
        [torch.ScalarType.ComplexFloat32] = "complex64",
        [torch.ScalarType.ComplexFloat64] = "complex128",
    };

    private static readonly Dictionary<Type, (string Name, int Size)> Arrays = new()
    {
        [typeof(bool)] = ("bool", 1),
        [typeof(sbyte)] = ("int8", 1),
        [typeof(byte)] = ("uint8", 1),
        [typeof(short)] = ("int16", 2),
        [typeof(ushort)] = ("uint16", 2),
        [typeof(int)] = ("int32", 4),
        [typeof(uint)] = ("uint32", 4),
        [typeof(long)] = ("int64", 8),
        [typeof(ulong)] = ("uint64", 8),
        [typeof(Half)] = ("float16", 2),
        [typeof(float)] = ("float32", 4),
        [typeof(double)] = ("float64", 8),
        [typeof(Complex)] = ("complex128", 16),
    };

    /// <summary>Returns the name of a tensor's element type; null if Python has no such type.</summary>
    public static string? Of(torch.ScalarType type) => Tensors.GetValueOrDefault(type);

    /// <summary>
    /// Returns name and size in bytes of an array's element type; null if it is not a number or bool.
    /// </summary>
    public static (string Name, int Size)? Of(Type type) => Arrays.TryGetValue(type, out var found) ? found : null;

    /// <summary>Returns the tensor element type of a name.</summary>
    public static torch.ScalarType Parse(string name) => Tensors.First(entry => entry.Value == name).Key;
}
