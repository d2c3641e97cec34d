using System.Buffers.Binary;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// A model's rules for normalizing text: a double-array trie of the strings to replace (Aoe, 1989,
/// doi:10.1109/32.31365), and their replacements.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] units;
    private readonly byte[] replacements;
    private readonly string name;

    public CharacterMap(ReadOnlySpan<byte> bytes, string name)
    {
        this.name = name;
        if (bytes.Length < 4)
            throw new InvalidDataException($"{name} has a character map of {bytes.Length} bytes; expected at least 4.");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (size > bytes.Length - 4 || size % 4 != 0 || size == 0)
            throw new InvalidDataException($"{name} has a character map of {bytes.Length} bytes with a table size of "
                + $"{size}; expected a multiple of 4 that fits.");
        units = new uint[size / 4];
        for (var unit = 0; unit < units.Length; unit++)
            units[unit] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * unit))..]);
        replacements = bytes[(4 + (int)size)..].ToArray();
    }

    /// <summary>
    /// Finds the longest rule that matches at the start of a text: the number of bytes and their replacement.
    /// </summary>
    /// <param name="text">A text in UTF-8.</param>
    /// <param name="shortest">Whether to find the shortest rule instead.</param>
    /// <returns>Length and replacement; a length of 0 if no rule matches.</returns>
    public (int Length, ReadOnlyMemory<byte> Replacement) Match(ReadOnlySpan<byte> text, bool shortest = false)
    {
        var longest = 0;
        var value = 0u;
        var node = Offset(Unit(0));
        for (var at = 0; at < text.Length; at++)
        {
            node ^= text[at];
            var unit = Unit(node);
            if ((unit & 0x800000FF) != text[at]) break;
            node ^= Offset(unit);
            if ((unit & 0x100) == 0) continue;
            longest = at + 1;
            value = Unit(node) & 0x7FFFFFFF;
            if (shortest) break;
        }
        if (longest == 0) return (0, default);
        if (value > replacements.Length)
            throw new InvalidDataException($"{name} has a character map that points to byte {value}; "
                + $"its replacements have {replacements.Length} bytes.");
        var rest = replacements.AsMemory((int)value);
        var end = rest.Span.IndexOf((byte)0);
        return (longest, end < 0 ? rest : rest[..end]);
    }

    private uint Unit(uint node) => node < units.Length ? units[node]
        : throw new InvalidDataException($"{name} has a character map that points to unit {node}; "
            + $"its table has {units.Length} units.");

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
