using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>One tensor of a checkpoint, known without having been read.</summary>
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

    /// <summary>Its name in the file.</summary>
    public string Name { get; }

    /// <summary>Its sizes.</summary>
    public IReadOnlyList<long> Shape { get; internal init; }

    /// <summary>How its elements are stored, by safetensors' names: <c>F32</c>, <c>BF16</c>, <c>F8_E4M3</c> ….</summary>
    public string Format => Stored.Name;

    /// <summary>The dtype that it is read as: 8-bit floats as bytes; U16 and U32 as the next larger signed integer.</summary>
    public ScalarType Dtype => Stored.DType;

    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    internal StoredFormat Stored { get; }

    /// <summary>Which of the checkpoint's files holds it.</summary>
    internal int Part { get; init; }

    /// <summary>Where its first element lies, in bytes from the file's start.</summary>
    internal long Start { get; init; }

    /// <summary>Where the memory begins that it may share with others of the same format.</summary>
    internal long StorageStart { get; init; }

    /// <summary>Elements from one to the next along each axis; null for row-major.</summary>
    internal long[]? Strides { get; init; }

    /// <summary>Elements from one to the next along each axis.</summary>
    internal long[] AllStrides()
    {
        if (Strides is not null) return Strides;
        var strides = new long[Shape.Count];
        var step = 1L;
        for (var axis = Shape.Count - 1; axis >= 0; step *= Shape[axis], axis--) strides[axis] = step;
        return strides;
    }

    /// <summary>Bytes from the first element to the end of the last.</summary>
    internal long SpanBytes => ElementCount == 0 ? 0
        : Stored.Size * (Strides is null ? ElementCount : 1 + Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum());
}
