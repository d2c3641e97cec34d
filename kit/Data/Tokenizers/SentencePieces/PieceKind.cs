namespace ResearchKit.Data.SentencePieces;

/// <summary>Kind of a piece, with the numbers of sentencepiece_model.proto.</summary>
internal enum PieceKind
{
    Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6,
}

/// <summary>How a model cuts a text, with the numbers of sentencepiece_model.proto.</summary>
internal enum PieceModelType
{
    Unigram = 1, BytePairs = 2, Words = 3, Characters = 4,
}

/// <summary>A piece of a vocabulary.</summary>
internal readonly record struct Piece(string Text, double Score, PieceKind Kind);
