using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>One open file of a checkpoint; reads or maps byte ranges of it as tensors.</summary>
internal sealed class CheckpointFile(string path) : IDisposable
{
    private const long PartElements = 1 << 21;   // few enough to fit into a span and a small buffer
    private readonly SafeFileHandle file =
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    // the whole file mapped as a tensor, for each dtype
    private readonly Dictionary<ScalarType, Tensor> maps = [];

    public string Path { get; } = path;

    public long Length { get; } = new FileInfo(path).Length;

    public void Dispose()
    {
        foreach (var map in maps.Values) map.Dispose();
        file.Dispose();
    }

    /// <summary>Fills a buffer with the bytes that start at an offset.</summary>
    /// <exception cref="InvalidDataException">The file ends before the buffer is full.</exception>
    public void Read(long at, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var count = RandomAccess.Read(file, buffer, at);
            if (count == 0) throw new InvalidDataException($"{Path} ends at byte {at}; {buffer.Length} more were expected.");
            at += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>Reads an entry into a tensor with its own memory, outside any dispose scope.</summary>
    public Tensor Read(CheckpointEntry entry)
    {
        using var scope = NewDisposeScope();
        try
        {
            return entry.Stored.ToTensor(Load(entry)).DetachFromDisposeScope();
        }
        catch (InvalidDataException error) when (!error.Message.StartsWith(Path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{Path} holds a tensor '{entry.Name}' that cannot be read: {error.Message}.", error);
        }
    }

    /// <summary>
    /// Memory-maps an entry as a tensor, outside any dispose scope. Returns null if its alignment or format does
    /// not allow that, or if the operating system cannot map the file.
    /// </summary>
    /// <exception cref="InvalidDataException">The file has been truncated since it was opened.</exception>
    public Tensor? Map(CheckpointEntry entry)
    {
        var format = entry.Stored;
        if (entry.BigEndian || entry.ElementCount == 0 || entry.Start % format.Size != 0 || format.Stored != format.DType
            || format.Name == "U64")
            return null;
        if (RandomAccess.GetLength(file) < Length)
            throw new InvalidDataException($"{Path} has become shorter since it was opened.");
        try
        {
            if (!maps.TryGetValue(format.Stored, out var map)) maps.Add(format.Stored, map = MapWhole(format));
            return NativeTensors.Window(map, [.. entry.Shape], entry.AllStrides(), entry.Start / format.Size)
                .DetachFromDisposeScope();
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    /// <summary>
    /// Copies an entry into a tensor of the same shape, in parts, so that a large tensor needs no second copy in
    /// memory.
    /// </summary>
    public void CopyTo(CheckpointEntry entry, Tensor target)
    {
        if (target.numel() == 0) return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        target = target.detach();
        if (entry.Strides is null && !entry.BigEndian && entry.Stored.Stored == entry.Stored.DType && target.is_contiguous())
        {
            var flat = target.view(-1);
            if (target.dtype == entry.Dtype && target.device_type == TorchSharp.DeviceType.CPU) Fill(flat, entry.Start);
            else Convert(entry, flat);
        }
        else
        {
            target.copy_(entry.Stored.ToTensor(Load(entry)));
        }
    }

    /// <summary>
    /// Maps the whole file. On Linux it maps the open file descriptor, because the path may refer to a newer file
    /// by now.
    /// </summary>
    private Tensor MapWhole(StoredFormat format) =>
        from_file(OperatingSystem.IsLinux() ? $"/proc/self/fd/{file.DangerousGetHandle()}" : Path, shared: false,
            Length / format.Size, format.Stored, CPU).DetachFromDisposeScope();

    private Tensor Load(CheckpointEntry entry)
    {
        var flat = empty([entry.SpanBytes / entry.Stored.Size], entry.Stored.Stored, CPU);
        Fill(flat, entry.Start);
        if (entry.BigEndian) Reverse(flat);
        return entry.ElementCount == 0 ? flat.view([.. entry.Shape])
            : entry.Strides is { } strides ? flat.as_strided([.. entry.Shape], strides).contiguous()
            : flat.view([.. entry.Shape]);
    }

    /// <summary>Reverses the bytes of each number; a complex number is two.</summary>
    private static void Reverse(Tensor flat)
    {
        for (long at = 0, length = flat.shape[0]; at < length; at += PartElements)
        {
            using var part = flat.narrow(0, at, Math.Min(PartElements, length - at));
            var bytes = part.bytes;
            switch (flat.dtype == ScalarType.ComplexFloat32 ? sizeof(float) : flat.element_size())
            {
                case sizeof(ushort): Swap(MemoryMarshal.Cast<byte, ushort>(bytes), BinaryPrimitives.ReverseEndianness); break;
                case sizeof(uint): Swap(MemoryMarshal.Cast<byte, uint>(bytes), BinaryPrimitives.ReverseEndianness); break;
                case sizeof(ulong): Swap(MemoryMarshal.Cast<byte, ulong>(bytes), BinaryPrimitives.ReverseEndianness); break;
                default: return;
            }
        }

        static void Swap<T>(Span<T> numbers, Func<T, T> reversed)
        {
            foreach (ref var number in numbers) number = reversed(number);
        }
    }

    private void Convert(CheckpointEntry entry, Tensor flat)
    {
        var buffer = empty([Math.Min(PartElements, flat.shape[0])], entry.Stored.Stored, CPU);
        for (long at = 0, length = flat.shape[0]; at < length; at += PartElements)
        {
            using var scope = NewDisposeScope();
            var part = buffer.narrow(0, 0, Math.Min(PartElements, length - at));
            Read(entry.Start + (at * entry.Stored.Size), part.bytes);
            flat.narrow(0, at, part.shape[0]).copy_(part);
        }
    }

    private unsafe void Fill(Tensor flat, long from)
    {
        for (long at = 0, length = flat.shape[0]; at < length; at += PartElements)
        {
            using var part = flat.narrow(0, at, Math.Min(PartElements, length - at));
            var bytes = part.bytes;
            if (at == 0)
                fixed (byte* start = bytes) LargePages.Expect((nint)start, length * flat.element_size());
            Read(from + (at * flat.element_size()), bytes);
        }
    }
}
