using ResearchKit.Checkpoints.PyTorch;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>An open checkpoint, in one file or several, whose tensors are read one at a time.</summary>
/// <remarks>
/// Opening reads the names, shapes and places alone. A file is safetensors (https://github.com/huggingface/safetensors#format),
/// what <c>torch.save</c> writes (zip, or the older stream), or an index of several of them. Nothing in a file is executed, and
/// nothing is allocated that its length does not justify.
/// </remarks>
public sealed class CheckpointReader : IDisposable
{
    private readonly List<CheckpointFile> parts = [];
    private readonly Dictionary<string, CheckpointEntry> entries = [];

    private CheckpointReader(string path) => Path = path;

    /// <summary>The file that was opened.</summary>
    public string Path { get; }

    /// <summary>All tensors by their names.</summary>
    public IReadOnlyDictionary<string, CheckpointEntry> Entries => entries;

    /// <summary>Free texts kept beside the tensors; empty where the format has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>Opens a checkpoint.</summary>
    /// <param name="path">A .safetensors, .pt, .pth or .bin file, or the .index.json of several.</param>
    /// <param name="key">
    /// Where a PyTorch file holds several things, such as an optimizer beside the model: the name of the state dict wanted. Null
    /// finds the only one.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is not whole and consistent; says what is wrong and where.</exception>
    public static CheckpointReader Open(string path, string? key = null)
    {
        var reader = new CheckpointReader(path);
        try
        {
            if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) reader.OpenShards(key);
            else reader.AddPart(path, key);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor, on the CPU, which then belongs to the caller.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">The file has changed, or holds numbers that no dtype holds.</exception>
    public Tensor Read(string name)
    {
        var entry = this[name];
        return parts[entry.Part].Read(entry);
    }

    /// <summary>One tensor on the pages of the file itself: they are read when they are touched.</summary>
    /// <remarks>
    /// The tensor keeps the file's pages after the reader is disposed. What is written to it goes to memory, which the same
    /// tensor mapped again by this reader shares, never to the file. While it lives nobody may shorten the file or write into it:
    /// the system ends a process that touches a page that is gone. (To put another file in its place is no harm.) A tensor whose
    /// place in the file does not suit its dtype is read as by <see cref="Read"/>.
    /// </remarks>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="InvalidDataException">The file has become shorter.</exception>
    public Tensor Map(string name)
    {
        var entry = this[name];
        return parts[entry.Part].Map(entry) ?? Read(name);
    }

    /// <summary>
    /// Copies one tensor into another of the same shape, on any device, converting its numbers where the dtypes differ.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="ArgumentException">The shapes differ, or the numbers cannot become the target's.</exception>
    public void CopyTo(string name, Tensor target)
    {
        var entry = this[name];
        if (Mismatch(entry, target) is { } mismatch) throw new ArgumentException($"{name} {mismatch}.", nameof(target));
        parts[entry.Part].CopyTo(entry, target);
    }

    /// <summary>
    /// Reads all tensors, on the CPU, which then belong to the caller; those that share memory in the file share it again.
    /// </summary>
    /// <exception cref="InvalidDataException">The file has changed, or holds numbers that no dtype holds.</exception>
    public Dictionary<string, Tensor> ReadAll()
    {
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var group in SharedMemory.Groups(entries.Values))
                foreach (var (name, tensor) in group.Read(parts[group.Part])) tensors.Add(name, tensor);
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in parts) part.Dispose();
    }

    /// <summary>
    /// A tensor of the file's numbers in the dtype and on the device of another: on the file's pages where they suit it.
    /// </summary>
    internal Tensor MapLike(string name, Tensor like, Device device)
    {
        var entry = this[name];
        if (entry.Strides is null && entry.Dtype == like.dtype && device.type == TorchSharp.DeviceType.CPU
            && parts[entry.Part].Map(entry) is { } mapped) return mapped;
        return ReadLike(name, like, device);
    }

    /// <summary>A tensor of the file's numbers in the dtype and on the device of another, in memory of its own.</summary>
    internal Tensor ReadLike(string name, Tensor like, Device device)
    {
        var memory = empty(like.shape, like.dtype, device).DetachFromDisposeScope();
        parts[this[name].Part].CopyTo(this[name], memory);
        return memory;
    }

    /// <summary>Why a tensor of the file cannot be copied into another; null if it can.</summary>
    internal static string? Mismatch(CheckpointEntry entry, Tensor target)
    {
        if (!target.shape.SequenceEqual(entry.Shape))
            return $"is [{string.Join(", ", entry.Shape)}], the model has {target.ShapeText()}";
        if (entry.Stored.IsBytes && target.dtype != ScalarType.Byte)
            return $"is {entry.Format}, which is read as bytes, the model has {target.dtype}";
        return IsFloat(entry.Dtype) == IsFloat(target.dtype) ? null : $"is {entry.Format}, the model has {target.dtype}";
    }

    private static bool IsFloat(ScalarType dtype) =>
        dtype is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;

    private CheckpointEntry this[string name] => entries.TryGetValue(name, out var entry) ? entry
        : throw new KeyNotFoundException($"{Path} has no tensor '{name}'; it has {entries.Count}: "
            + $"{string.Join(", ", entries.Keys.Order().Take(10))}{(entries.Count > 10 ? ", …" : "")}.");

    private void OpenShards(string? key)
    {
        foreach (var (file, names) in ShardIndex.Read(Path))
        {
            if (!File.Exists(file)) throw new InvalidDataException(
                $"{Path} places tensor '{names.First()}' in {System.IO.Path.GetFileName(file)}, which is not there.");
            names.ExceptWith(AddPart(file, key));
            if (names.Count > 0) throw new InvalidDataException(
                $"{Path} says that tensor '{names.First()}' is in {System.IO.Path.GetFileName(file)}, which does not hold it.");
        }
    }

    private IEnumerable<string> AddPart(string path, string? key)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file {path}; expected a checkpoint.", path);
        var part = new CheckpointFile(path);
        parts.Add(part);
        var isPyTorch = !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) && PyTorchFile.IsOne(part);
        var (found, metadata) = isPyTorch ? (PyTorchFile.Read(part, key), []) : SafetensorsHeader.Read(part);
        if (parts.Count == 1) Metadata = metadata;
        foreach (var entry in found)
            if (!entries.TryAdd(entry.Name, entry with { Part = parts.Count - 1 }))
                throw new InvalidDataException($"{path} holds a tensor '{entry.Name}' that another file of {Path} holds too.");
        return found.Select(entry => entry.Name);
    }
}
