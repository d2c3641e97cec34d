using System.Buffers.Binary;
using System.Text;

namespace ResearchKit.Native;

/// <summary>Patches an ELF library so that it loads without one symbol version of libstdc++ (GCC 13).</summary>
/// <remarks>
/// The only symbol of that version in libLibTorchSharp.so, std::ios_base_library_init(), is a marker that the compiler
/// adds; nothing in the file refers to its address. With VER_FLG_WEAK set, the loader does not require the version.
/// Structures: System V ABI and Linux Standard Base, "Symbol Versioning".
/// </remarks>
internal static class ElfSymbolVersions
{
    public const string TooNew = "GLIBCXX_3.4.32";

    private const uint VersionNeedSection = 0x6ffffffe;   // SHT_GNU_verneed
    private const ushort Weak = 2;                        // VER_FLG_WEAK

    /// <summary>Marks the version weak.</summary>
    /// <param name="elf">A 64-bit little-endian ELF file; changed in place.</param>
    /// <exception cref="InvalidDataException">The file is not such a library, or does not require the
    /// version.</exception>
    public static byte[] Relax(byte[] elf)
    {
        if (elf.Length < 64 || elf is not [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, ..])
            throw new InvalidDataException("The file is not a 64-bit little-endian ELF file.");

        try
        {
            return MarkWeak(elf) ? elf : throw new InvalidDataException($"The library does not require {TooNew}.");
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new InvalidDataException("The ELF file is truncated, or its tables point outside of it.", error);
        }
    }

    private static bool MarkWeak(byte[] elf)
    {
        var sections = checked((int)Word64(elf, 0x28));
        int size = Word16(elf, 0x3a), count = Word16(elf, 0x3c);
        var found = false;
        for (var section = sections; section < sections + (count * size); section += size)
        {
            if (Word32(elf, section + 4) != VersionNeedSection) continue;
            var names = (int)Word64(elf, sections + ((int)Word32(elf, section + 40) * size) + 24);   // sh_link's sh_offset
            found |= MarkWeakIn(elf, need: (int)Word64(elf, section + 24), names);
        }
        return found;
    }

    private static bool MarkWeakIn(byte[] elf, int need, int names)
    {
        for (var found = false; ; need += (int)Word32(elf, need + 12))          // Elf64_Verneed: one required library
        {
            var version = need + (int)Word32(elf, need + 8);
            for (int left = Word16(elf, need + 2); left > 0; left--)            // Elf64_Vernaux: one required version of it
            {
                if (Name(elf, names + (int)Word32(elf, version + 8)) == TooNew)
                {
                    elf.AsSpan(version + 4)[0] |= (byte)Weak;
                    found = true;
                }
                version += (int)Word32(elf, version + 12);
            }
            if (Word32(elf, need + 12) == 0) return found;
        }
    }

    private static string Name(byte[] elf, int at)
    {
        var bytes = elf.AsSpan(at);
        return Encoding.ASCII.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }

    private static ushort Word16(byte[] elf, int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(at));
    private static uint Word32(byte[] elf, int at) => BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at));
    private static ulong Word64(byte[] elf, int at) => BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(at));
}
