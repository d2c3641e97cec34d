using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Describes one tensor of a checkpoint: name, shape, format and position, without its data.</summary>
public sealed record CheckpointEntry
{
    internal CheckpointEntry(string name, StoredFormat stored, long[] shape, long start)
    {
        Name = name;
        Stored = stored;
        Shape = shape;
        Start = start;
        StorageStart = start;
    }

    /// <summary>The tensor's name in the file.</summary>
    public string Name { get; }

    /// <summary>The tensor's shape.</summary>
    public IReadOnlyList<long> Shape { get; internal init; }

    /// <summary>
    /// Storage format of the elements, by its name in safetensors: <c>F32</c>, <c>BF16</c>, <c>F8_E4M3</c> ….
    /// </summary>
    public string Format => Stored.Name;

    /// <summary>
    /// The dtype of the tensor after reading: 8-bit floats are read as bytes, U16 and U32 as the next larger signed
    /// integer.
    /// </summary>
    public ScalarType Dtype => Stored.DType;

    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    internal StoredFormat Stored { get; }

    /// <summary>Index of the checkpoint's file that holds the tensor.</summary>
    internal int Part { get; init; }

    /// <summary>Byte offset of the first element in the file.</summary>
    internal long Start { get; init; }

    /// <summary>Byte offset of the underlying storage, which other tensors of the same format may share.</summary>
    internal long StorageStart { get; init; }

    /// <summary>Strides in elements; null for row-major (contiguous) order.</summary>
    internal long[]? Strides { get; init; }

    /// <summary>Whether the bytes of each number are in big-endian order in the file.</summary>
    internal bool BigEndian { get; init; }

    /// <summary>Returns the strides in elements, also for a contiguous tensor.</summary>
    internal long[] AllStrides()
    {
        if (Strides is not null) return Strides;
        var strides = new long[Shape.Count];
        var step = 1L;
        for (var axis = Shape.Count - 1; axis >= 0; step *= Shape[axis], axis--) strides[axis] = step;
        return strides;
    }

    /// <summary>Size in bytes from the first element to the end of the last, including gaps between them.</summary>
    internal long SpanBytes => ElementCount == 0 ? 0
        : Stored.Size * (Strides is null ? ElementCount : 1 + Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum());
}
