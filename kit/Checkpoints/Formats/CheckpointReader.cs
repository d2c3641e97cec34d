using ResearchKit.Checkpoints.PyTorch;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Reads the tensors of a checkpoint, in one file or several, one at a time.</summary>
/// <remarks>
/// Opening reads only names, shapes and offsets. Supported are safetensors
/// (https://github.com/huggingface/safetensors#format), files of <c>torch.save</c> (zip, or the older stream),
/// and an index of several such files. Nothing in a file is executed, and no allocation is larger than the
/// file's length justifies.
/// </remarks>
public sealed class CheckpointReader : IDisposable
{
    private readonly List<CheckpointFile> parts = [];
    private readonly Dictionary<string, CheckpointEntry> entries = [];
    private readonly Dictionary<string, string> passedOver = [];

    private CheckpointReader(string path) => Path = path;

    /// <summary>Path of the file that was opened.</summary>
    public string Path { get; }

    /// <summary>All tensors by name.</summary>
    public IReadOnlyDictionary<string, CheckpointEntry> Entries => entries;

    /// <summary>Metadata of the file: free text by key; empty if the format has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>
    /// Names in the state dict that hold no tensor that the kit reads, with what they hold: a quantized tensor, an object of a
    /// Python class. Nothing of it is run.
    /// </summary>
    public IReadOnlyDictionary<string, string> PassedOver => passedOver;

    /// <summary>Opens a checkpoint for reading.</summary>
    /// <param name="path">A .safetensors, .pt, .pth or .bin file, or the .index.json of several.</param>
    /// <param name="key">
    /// Name of the state dict to read, for a PyTorch file that holds several: <c>model</c>, or <c>checkpoint.model</c> for a dict
    /// in a dict. Null finds the one that is plainly the model's, beside an optimizer, averaged weights or anything else; an
    /// empty text takes all of them together, with their names before those of their tensors.
    /// </param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is truncated or inconsistent; the message says what is wrong and where.
    /// </exception>
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

    /// <summary>Reads one tensor onto the CPU. The caller owns it.</summary>
    /// <exception cref="KeyNotFoundException">The checkpoint has no tensor of that name.</exception>
    /// <exception cref="InvalidDataException">
    /// The file has changed, or has values that no libtorch dtype can represent.
    /// </exception>
    public Tensor Read(string name)
    {
        var entry = this[name];
        return parts[entry.Part].Read(entry);
    }

    /// <summary>Memory-maps one tensor: its pages are read from the file when they are first accessed.</summary>
    /// <remarks>
    /// The mapping outlives the reader. Writes to the tensor are private (copy-on-write): they never reach the
    /// file, but the same tensor mapped again by this reader sees them. While the tensor lives, the file must not
    /// be truncated or written to: the system ends a process that accesses a page that is gone. (Replacing the file
    /// by another is safe.) A tensor whose offset or format does not allow mapping is read as by
    /// <see cref="Read"/>.
    /// </remarks>
    /// <exception cref="KeyNotFoundException">The checkpoint has no tensor of that name.</exception>
    /// <exception cref="InvalidDataException">The file has been truncated since it was opened.</exception>
    public Tensor Map(string name)
    {
        var entry = this[name];
        return parts[entry.Part].Map(entry) ?? Read(name);
    }

    /// <summary>
    /// Copies one tensor into another of the same shape, on any device, and converts the values if the dtypes
    /// differ.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The checkpoint has no tensor of that name.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes differ, or the values cannot be converted to the target's dtype.
    /// </exception>
    public void CopyTo(string name, Tensor target)
    {
        var entry = this[name];
        if (Mismatch(entry, target) is { } mismatch) throw new ArgumentException($"{name} {mismatch}.", nameof(target));
        parts[entry.Part].CopyTo(entry, target);
    }

    /// <summary>
    /// Reads all tensors onto the CPU. The caller owns them. Tensors that share memory in the file share it again.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The file has changed, or has values that no libtorch dtype can represent.
    /// </exception>
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
    /// Maps a tensor if possible, else reads it; the result has the dtype of <paramref name="like"/> and lies on
    /// <paramref name="device"/>.
    /// </summary>
    internal Tensor MapLike(string name, Tensor like, Device device)
    {
        var entry = this[name];
        if (entry.Strides is null && entry.Dtype == like.dtype && device.type == TorchSharp.DeviceType.CPU
            && parts[entry.Part].Map(entry) is { } mapped) return mapped;
        return ReadLike(name, like, device);
    }

    /// <summary>
    /// Reads a tensor into its own memory, with the dtype of <paramref name="like"/>, on <paramref name="device"/>.
    /// </summary>
    internal Tensor ReadLike(string name, Tensor like, Device device)
    {
        var memory = empty(like.shape, like.dtype, device).DetachFromDisposeScope();
        parts[this[name].Part].CopyTo(this[name], memory);
        return memory;
    }

    /// <summary>Returns why an entry cannot be copied into a tensor; null if it can.</summary>
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
        var (found, metadata) = Contents(part, key);
        if (parts.Count == 1) Metadata = metadata;
        foreach (var entry in found)
            if (!entries.TryAdd(entry.Name, entry with { Part = parts.Count - 1 }))
                throw new InvalidDataException($"{path} holds a tensor '{entry.Name}' that another file of {Path} holds too.");
        return found.Select(entry => entry.Name);
    }

    private (List<CheckpointEntry> Entries, Dictionary<string, string> Metadata) Contents(CheckpointFile part, string? key)
    {
        if (SafetensorsHeader.Begins(part))
            return string.IsNullOrEmpty(key) ? SafetensorsHeader.Read(part) : throw new InvalidDataException(
                $"{part.Path} is a safetensors file, which holds a single state dict without a name; got the key '{key}'.");
        if (!PyTorchFile.IsOne(part))
            return OtherContent.Of(part) is { } other ? throw new InvalidDataException($"{part.Path} {other}")
                : SafetensorsHeader.Read(part);
        var (found, passed) = PyTorchFile.Read(part, key);
        foreach (var (name, what) in passed) passedOver[name] = what;
        return (found, []);
    }
}
