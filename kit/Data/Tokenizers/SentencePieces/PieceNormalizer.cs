using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>
/// Normalizes a text before it is split into pieces: applies the model's rules and makes spaces visible
/// (normalizer.cc of google/sentencepiece).
/// </summary>
internal sealed class PieceNormalizer
{
    private static readonly byte[] VisibleSpace = "\u2581"u8.ToArray(), Replacement = "\uFFFD"u8.ToArray();

    private readonly PieceModel model;
    private readonly CharacterMap? map;
    private readonly List<byte[]> whole;   // user-defined pieces, which are not normalized; longest first

    public PieceNormalizer(PieceModel model, string name)
    {
        this.model = model;
        map = model.CharacterMap.Length > 0 ? new CharacterMap(model.CharacterMap, name) : null;
        whole = [.. model.Pieces.Where(piece => piece.Kind == PieceKind.UserDefined)
            .Select(piece => Encoding.UTF8.GetBytes(piece.Text)).OrderByDescending(bytes => bytes.Length)];
    }

    public byte[] Normalize(string text)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text);
        var result = new List<byte>(rest.Length + 16);
        if (model.RemoveExtraSpaces)
            while (rest.Length > 0)
            {
                var (taken, first) = Prefix(rest);
                if (first is not [(byte)' ']) break;
                rest = rest[taken..];
            }
        if (rest.Length == 0) return [];

        var space = model.EscapeSpaces ? VisibleSpace : " "u8.ToArray();
        if (model.AddDummyPrefix && !model.SpaceAsSuffix) result.AddRange(space);
        var afterSpace = model.RemoveExtraSpaces;
        while (rest.Length > 0)
        {
            var (taken, piece) = Prefix(rest);
            ReadOnlySpan<byte> part = piece;
            while (afterSpace && part.Length > 0 && part[0] == ' ') part = part[1..];
            foreach (var value in part)
                if (value == ' ') result.AddRange(space);
                else result.Add(value);
            if (part.Length > 0) afterSpace = part[^1] == ' ';
            rest = rest[taken..];
            if (!model.RemoveExtraSpaces) afterSpace = false;
        }
        if (model.RemoveExtraSpaces)
            while (result.Count >= space.Length && result[^space.Length..].SequenceEqual(space))
                result.RemoveRange(result.Count - space.Length, space.Length);
        if (model.AddDummyPrefix && model.SpaceAsSuffix) result.AddRange(space);
        return [.. result];
    }

    /// <summary>Returns the length of the user-defined piece at the start of a text; 0 if there is none.</summary>
    public int WholePiece(ReadOnlySpan<byte> text)
    {
        foreach (var piece in whole)
            if (text.StartsWith(piece)) return piece.Length;
        return 0;
    }

    private (int Taken, byte[] Part) Prefix(ReadOnlySpan<byte> text)
    {
        if (WholePiece(text) is > 0 and var length) return (length, text[..length].ToArray());
        if (map is not null)
        {
            var (matched, replacement) = map.Match(text);
            if (matched > 0) return (matched, replacement.ToArray());
        }
        var valid = Rune.DecodeFromUtf8(text, out _, out var taken) == System.Buffers.OperationStatus.Done;
        return valid ? (taken, text[..taken].ToArray()) : (1, Replacement);
    }
}
