using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Tensors that share a storage in one file, such as tied weights; most groups hold a single tensor.
/// </summary>
internal sealed class SharedMemory
{
    private readonly List<CheckpointEntry> entries;

    private SharedMemory(IEnumerable<CheckpointEntry> entries) => this.entries = [.. entries];

    public int Part => entries[0].Part;

    /// <summary>Groups entries by their storage.</summary>
    public static IEnumerable<SharedMemory> Groups(IEnumerable<CheckpointEntry> entries) =>
        entries.GroupBy(entry => (entry.Part, entry.StorageStart, entry.Stored, entry.ElementCount == 0 ? entry.Name : null))
            .Select(group => new SharedMemory(group));

    /// <summary>Reads the tensors; those that share a storage become views of one tensor.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Read(CheckpointFile part)
    {
        if (entries.Count == 1) return [(entries[0].Name, part.Read(entries[0]))];
        var start = entries.Min(entry => entry.Start);
        var end = entries.Max(entry => entry.Start + entry.SpanBytes);
        var size = entries[0].Stored.Size;
        using var scope = NewDisposeScope();
        var memory = part.Read(entries[0] with { Start = start, Shape = [(end - start) / size], Strides = null });
        scope.Attach(memory);
        return [.. entries.Select(entry => (entry.Name,
            memory.as_strided([.. entry.Shape], entry.AllStrides(), (entry.Start - start) / size).DetachFromDisposeScope()))];
    }
}
