using System.Buffers.Binary;
using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>Writes a <c>.model</c> file of SentencePiece (sentencepiece_model.proto).</summary>
internal static class PieceModelWriter
{
    public static byte[] Write(PieceModel model, SpecialTokens special)
    {
        var file = new List<byte>();
        foreach (var piece in model.Pieces)
        {
            var message = new List<byte>();
            Bytes(message, 1, Encoding.UTF8.GetBytes(piece.Text));
            Float(message, 2, (float)piece.Score);
            if (piece.Kind != PieceKind.Normal) Number(message, 3, (long)piece.Kind);
            Bytes(file, 1, [.. message]);
        }
        Bytes(file, 2, Trainer(model, special));
        Bytes(file, 3, Normalizer(model));
        return [.. file];
    }

    private static byte[] Trainer(PieceModel model, SpecialTokens special)
    {
        var message = new List<byte>();
        Number(message, 3, (long)model.Type);
        Number(message, 4, model.Pieces.Count);
        if (model.SpaceAsSuffix) Number(message, 24, 1);
        if (model.ByteFallback) Number(message, 35, 1);
        Number(message, 40, special.Unknown ?? -1);
        Number(message, 41, special.Beginning ?? -1);
        Number(message, 42, special.End ?? -1);
        Number(message, 43, special.Padding ?? -1);
        Bytes(message, 44, Encoding.UTF8.GetBytes(model.UnknownSurface));
        Bytes(message, 46, Encoding.UTF8.GetBytes(model.BeginningPiece));
        Bytes(message, 47, Encoding.UTF8.GetBytes(model.EndPiece));
        Bytes(message, 48, Encoding.UTF8.GetBytes(model.PaddingPiece));
        return [.. message];
    }

    private static byte[] Normalizer(PieceModel model)
    {
        var message = new List<byte>();
        if (model.CharacterMap.Length > 0) Bytes(message, 2, model.CharacterMap);
        Number(message, 3, model.AddDummyPrefix ? 1 : 0);
        Number(message, 4, model.RemoveExtraSpaces ? 1 : 0);
        Number(message, 5, model.EscapeSpaces ? 1 : 0);
        return [.. message];
    }

    private static void Number(List<byte> message, int field, long value)
    {
        Varint(message, (ulong)field << 3);
        Varint(message, (ulong)value);
    }

    private static void Float(List<byte> message, int field, float value)
    {
        Varint(message, ((ulong)field << 3) | 5);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        message.AddRange(bytes);
    }

    private static void Bytes(List<byte> message, int field, byte[] value)
    {
        Varint(message, ((ulong)field << 3) | 2);
        Varint(message, (ulong)value.Length);
        message.AddRange(value);
    }

    private static void Varint(List<byte> message, ulong value)
    {
        for (; value > 0x7F; value >>= 7) message.Add((byte)(value | 0x80));
        message.Add((byte)value);
    }
}
