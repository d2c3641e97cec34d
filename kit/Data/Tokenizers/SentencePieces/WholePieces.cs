using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// Splits a text into words or characters, each of which is one piece, as in word_model.cc and char_model.cc of
/// google/sentencepiece.
/// </summary>
internal sealed class WholePieces(PieceTable table, PieceNormalizer normalizer, int unknown, bool words)
{
    private static readonly byte[] VisibleSpace = "\u2581"u8.ToArray();

    public List<(int Start, int Length, int Id)> Cut(byte[] text)
    {
        var result = new List<(int, int, int)>();
        for (var start = 0; start < text.Length;)
        {
            var length = words ? Word(text.AsSpan(start)) : Character(text.AsSpan(start));
            var id = table.Find(text.AsSpan(start, length));
            result.Add((start, length, id < 0 ? unknown : id));
            start += length;
        }
        return result;
    }

    /// <summary>Returns the length of the word at the start of a text; the next word begins with a visible space.</summary>
    private static int Word(ReadOnlySpan<byte> text)
    {
        var next = text[1..].IndexOf(VisibleSpace);
        return next < 0 ? text.Length : next + 1;
    }

    private int Character(ReadOnlySpan<byte> text)
    {
        if (normalizer.WholePiece(text) is > 0 and var whole) return whole;
        Rune.DecodeFromUtf8(text, out _, out var length);
        return length;
    }
}
