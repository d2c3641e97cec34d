using System.Text;

namespace ResearchKit.Benchmarks.LlamaCpp;

/// <summary>A file in llama.cpp's format: settings, then float32 tensors.</summary>
/// <remarks>
/// Version 3 of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: lengths of an axis innermost first, each tensor
/// aligned to 32 bytes.
/// </remarks>
internal sealed class GgufFile
{
    private const int Alignment = 32;
    private const uint Version = 3, TypeOfUInt32 = 4, TypeOfFloat32 = 6, TypeOfString = 8, Float32Tensor = 0;

    private readonly List<(string Name, uint Type, object Value)> settings = [];
    private readonly List<(string Name, long[] Shape, float[] Values)> tensors = [];

    public void Set(string name, int value) => settings.Add((name, TypeOfUInt32, (uint)value));

    public void Set(string name, float value) => settings.Add((name, TypeOfFloat32, value));

    public void Set(string name, string value) => settings.Add((name, TypeOfString, value));

    /// <param name="name">As llama.cpp calls it.</param>
    /// <param name="tensor">float32.</param>
    public void Add(string name, TorchSharp.torch.Tensor tensor)
    {
        using var whole = tensor.detach().contiguous();
        tensors.Add((name, whole.shape, whole.data<float>().ToArray()));
    }

    public void Write(string path)
    {
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)settings.Count);
        foreach (var (name, type, value) in settings)
        {
            Text(writer, name);
            writer.Write(type);
            if (value is string text) Text(writer, text);
            else if (value is float number) writer.Write(number);
            else writer.Write((uint)value);
        }
        var offset = 0L;
        foreach (var (name, shape, values) in tensors)
        {
            Text(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var length in shape.Reverse()) writer.Write((ulong)length);
            writer.Write(Float32Tensor);
            writer.Write((ulong)offset);
            offset = Aligned(offset + (sizeof(float) * values.LongLength));
        }
        foreach (var (_, _, values) in tensors)
        {
            Pad(writer);
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        }
        Pad(writer);
    }

    private static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Pad(BinaryWriter writer)
    {
        var place = writer.Seek(0, SeekOrigin.Current);
        writer.Write(new byte[Aligned(place) - place]);
    }

    private static long Aligned(long place) => (place + Alignment - 1) / Alignment * Alignment;
}
