namespace ResearchKit.Data;

/// <summary>The parts of a <see cref="PretrainedTokenizer"/>.</summary>
internal sealed record TokenizerParts
{
    /// <summary>The file, for error messages.</summary>
    public required string Name { get; init; }

    public required AddedTokens Added { get; init; }

    /// <summary>Splits a text into words; null where the whole text is one word.</summary>
    public WordCutter? Cutter { get; init; }

    /// <summary>Whether the model encodes words whose bytes are written as symbols.</summary>
    public bool WritesBytes { get; init; }

    public required ITokenModel Model { get; init; }

    public required TokenVocabulary Vocabulary { get; init; }

    public SequenceTemplate Template { get; init; } = SequenceTemplate.None;

    public required TokenDecoder Decoder { get; init; }

    public bool CleansUp { get; init; }

    public SpecialTokens Special { get; init; } = SpecialTokens.None;

    /// <summary>Reads the chat template; null for none.</summary>
    public Func<ChatTemplate?>? Chat { get; init; }
}
