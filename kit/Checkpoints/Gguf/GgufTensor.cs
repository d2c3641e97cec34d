namespace ResearchKit.Checkpoints;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape, the fastest axis last (the file stores it first).</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Start">First byte of its data, from the start of the file.</param>
/// <param name="Bytes">Bytes of its data.</param>
public sealed record GgufTensor(string Name, IReadOnlyList<long> Shape, GgufType Type, long Start, long Bytes)
{
    /// <summary>Number of its numbers.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}
