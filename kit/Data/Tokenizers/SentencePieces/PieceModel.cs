using System.Text;

namespace ResearchKit.Data.SentencePieces;

/// <summary>The parts of a SentencePiece <c>.model</c> file that encoding and decoding need.</summary>
internal sealed record PieceModel
{
    public required IReadOnlyList<Piece> Pieces { get; init; }
    public PieceModelType Type { get; init; } = PieceModelType.Unigram;
    public bool ByteFallback { get; init; }
    public byte[] CharacterMap { get; init; } = [];
    public bool AddDummyPrefix { get; init; } = true;
    public bool RemoveExtraSpaces { get; init; } = true;
    public bool EscapeSpaces { get; init; } = true;
    public bool SpaceAsSuffix { get; init; }
    public string UnknownSurface { get; init; } = " \u2047 ";
    public string BeginningPiece { get; init; } = "<s>";
    public string EndPiece { get; init; } = "</s>";
    public string PaddingPiece { get; init; } = "<pad>";

    public static PieceModel Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var pieces = new List<Piece>();
        var model = new PieceModel { Pieces = pieces };
        var reader = new ProtobufReader(bytes, name);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: pieces.Add(ReadPiece(reader.Bytes(), pieces.Count, name)); break;
                case 2: model = ReadTrainer(reader.Bytes(), model, name); break;
                case 3: model = ReadNormalizer(reader.Bytes(), model, name); break;
                default: reader.Skip(); break;
            }
        }
        return pieces.Count > 0 ? model : throw new InvalidDataException($"{name} holds no pieces.");
    }

    private static Piece ReadPiece(ReadOnlySpan<byte> bytes, int number, string name)
    {
        var piece = new Piece("", 0, PieceKind.Normal);
        var reader = new ProtobufReader(bytes, $"{name}, piece {number}");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: piece = piece with { Text = Encoding.UTF8.GetString(reader.Bytes()) }; break;
                case 2: piece = piece with { Score = reader.Float() }; break;
                case 3: piece = piece with { Kind = (PieceKind)reader.Number() }; break;
                default: reader.Skip(); break;
            }
        }
        return piece.Text.Length > 0 && Enum.IsDefined(piece.Kind) && !double.IsNaN(piece.Score) ? piece
            : throw new InvalidDataException($"{name} has a piece number {number} of text '{piece.Text}', kind "
                + $"{(int)piece.Kind} and score {piece.Score}; expected a text, a kind from 1 to 6 and a finite score.");
    }

    private static PieceModel ReadTrainer(ReadOnlySpan<byte> bytes, PieceModel model, string name)
    {
        var reader = new ProtobufReader(bytes, $"{name}, trainer");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    var type = reader.Number();
                    model = type is >= 1 and <= 4 ? model with { Type = (PieceModelType)type }
                        : throw new InvalidDataException($"{name} is a model of type {type}; "
                            + "expected 1 (unigram), 2 (byte pairs), 3 (words) or 4 (characters).");
                    break;
                case 24: model = model with { SpaceAsSuffix = reader.Number() != 0 }; break;
                case 35: model = model with { ByteFallback = reader.Number() != 0 }; break;
                case 44: model = model with { UnknownSurface = Encoding.UTF8.GetString(reader.Bytes()) }; break;
                case 46: model = model with { BeginningPiece = Encoding.UTF8.GetString(reader.Bytes()) }; break;
                case 47: model = model with { EndPiece = Encoding.UTF8.GetString(reader.Bytes()) }; break;
                case 48: model = model with { PaddingPiece = Encoding.UTF8.GetString(reader.Bytes()) }; break;
                default: reader.Skip(); break;
            }
        }
        return model;
    }

    private static PieceModel ReadNormalizer(ReadOnlySpan<byte> bytes, PieceModel model, string name)
    {
        var reader = new ProtobufReader(bytes, $"{name}, normalizer");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: model = model with { CharacterMap = reader.Bytes().ToArray() }; break;
                case 3: model = model with { AddDummyPrefix = reader.Number() != 0 }; break;
                case 4: model = model with { RemoveExtraSpaces = reader.Number() != 0 }; break;
                case 5: model = model with { EscapeSpaces = reader.Number() != 0 }; break;
                default: reader.Skip(); break;
            }
        }
        return model;
    }
}
