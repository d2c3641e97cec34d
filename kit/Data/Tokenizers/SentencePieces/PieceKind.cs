namespace ResearchKit.Data.SentencePieces;

/// <summary>What a piece is for, as sentencepiece_model.proto numbers it.</summary>
internal enum PieceKind
{
    Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6,
}

/// <summary>A piece of a vocabulary.</summary>
internal readonly record struct Piece(string Text, float Score, PieceKind Kind);
