using System.Buffers.Binary;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Reads the IDX format of MNIST: a big-endian header and the numbers of one array (LeCun et al., 1998,
/// http://yann.lecun.com/exdb/mnist).
/// </summary>
public static class IdxFile
{
    private static readonly Dictionary<byte, (ScalarType Type, int Bytes)> Types = new()
    {
        [0x08] = (ScalarType.Byte, 1),
        [0x09] = (ScalarType.Int8, 1),
        [0x0B] = (ScalarType.Int16, 2),
        [0x0C] = (ScalarType.Int32, 4),
        [0x0D] = (ScalarType.Float32, 4),
        [0x0E] = (ScalarType.Float64, 8),
    };

    /// <summary>Reads a file, decompressed if its name ends in .gz.</summary>
    /// <returns>A tensor with the dtype and shape of the file, on the CPU.</returns>
    /// <exception cref="InvalidDataException">The file is malformed; the message says what and where.</exception>
    public static Tensor Read(string path) => Parse(Packed.Read(path), path);

    /// <param name="bytes">Decompressed content of the file.</param>
    /// <param name="name">Name of the file, for error messages.</param>
    /// <returns>A tensor with the dtype and shape of the file, on the CPU.</returns>
    /// <exception cref="InvalidDataException">The file is malformed; the message says what and where.</exception>
    public static Tensor Parse(ReadOnlySpan<byte> bytes, string name = "the IDX file")
    {
        if (bytes.Length < 4)
            throw new InvalidDataException($"{name} has {bytes.Length} bytes; expected at least 4 for an IDX header.");
        if (bytes[0] != 0 || bytes[1] != 0)
            throw new InvalidDataException($"{name} begins with {bytes[0]:X2} {bytes[1]:X2}; "
                + "expected 00 00, as in every IDX file.");
        if (!Types.TryGetValue(bytes[2], out var type))
            throw new InvalidDataException($"{name} has the type 0x{bytes[2]:X2} at byte 2; expected "
                + $"{string.Join(", ", Types.Keys.Select(key => $"0x{key:X2}"))}.");
        var dimensions = bytes[3];
        if (dimensions == 0 || bytes.Length < 4 + (4 * dimensions))
            throw new InvalidDataException($"{name} has {dimensions} dimensions at byte 3 and {bytes.Length} bytes; "
                + $"expected at least one dimension and {4 + (4 * dimensions)} bytes of header.");
        var shape = new long[dimensions];
        for (var axis = 0; axis < dimensions; axis++)
            shape[axis] = BinaryPrimitives.ReadUInt32BigEndian(bytes[(4 + (4 * axis))..]);

        var data = bytes[(4 + (4 * dimensions))..];
        UInt128 needed = (UInt128)type.Bytes;
        foreach (var length in shape)
        {
            needed *= (UInt128)length;
            if (needed > int.MaxValue) break;   // longer than any span, so that no file can match
        }
        if (shape.Contains(0)) needed = 0;
        if (needed != (UInt128)data.Length)
            throw new InvalidDataException($"{name} declares the shape [{string.Join(", ", shape)}] of {type.Type} and has "
                + $"{data.Length} bytes of data; expected {(needed > int.MaxValue ? "far more" : needed.ToString())}.");
        return ToTensor(data, shape, type.Type, type.Bytes);
    }

    private static Tensor ToTensor(ReadOnlySpan<byte> data, long[] shape, ScalarType type, int width)
    {
        var values = data.ToArray();
        if (BitConverter.IsLittleEndian && width > 1)
            for (var at = 0; at < values.Length; at += width) values.AsSpan(at, width).Reverse();
        var result = empty(shape, dtype: type);
        values.CopyTo(result.bytes);
        return result;
    }
}
