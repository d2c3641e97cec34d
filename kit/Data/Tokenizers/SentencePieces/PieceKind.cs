namespace ResearchKit.Data.SentencePieces;

/// <summary>Kind of a piece, with the numbers of sentencepiece_model.proto.</summary>
internal enum PieceKind
{
    Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6,
}

/// <summary>A piece of a vocabulary.</summary>
internal readonly record struct Piece(string Text, float Score, PieceKind Kind);
