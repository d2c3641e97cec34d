using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Reads and writes the elements of arrays and tensors as raw bytes in row-major order.</summary>
internal static class RawNumbers
{
    private const int Longest = 1 << 26;   // bytes per write: a span cannot be as large as an array

    public static void Write(FileStream file, Array array, int size)
    {
        var length = (nint)array.LongLength * size;
        for (nint at = 0; at < length; at += Longest)
            file.Write(MemoryMarshal.CreateReadOnlySpan(
                ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(array), at), (int)nint.Min(Longest, length - at)));
    }

    public static void Write(FileStream file, torch.Tensor tensor)
    {
        if (tensor.numel() == 0) return;
        using var scope = torch.NewDisposeScope();
        var plain = (tensor.is_complex() ? tensor.detach().cpu().resolve_conj() : tensor.detach().cpu().resolve_neg())
            .contiguous();
        foreach (var part in Parts(plain.flatten())) file.Write(part.bytes);
    }

    /// <summary>Reads the elements of a tensor from a file.</summary>
    /// <exception cref="InvalidDataException">The file does not have the size of the tensor.</exception>
    public static void Read(string path, torch.Tensor tensor)
    {
        var length = tensor.numel() * tensor.element_size();
        using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0 });
        if (file.Length != length)
            throw new InvalidDataException($"Python wrote {file.Length} bytes; a tensor of shape "
                + $"[{string.Join(", ", tensor.shape)}] and {tensor.dtype} takes {length}.");
        if (length == 0) return;
        using var scope = torch.NewDisposeScope();
        foreach (var part in Parts(tensor.flatten())) file.ReadExactly(part.bytes);
    }

    /// <summary>Returns consecutive slices of a flat tensor.</summary>
    private static IEnumerable<torch.Tensor> Parts(torch.Tensor flat)
    {
        const long longest = Longest / 16;   // elements of up to 16 bytes
        for (long at = 0, length = flat.shape[0]; at < length; at += longest)
            yield return flat.narrow(0, at, Math.Min(longest, length - at));
    }
}
