namespace ResearchKit.Data;

/// <summary>Ids of the special tokens; null for those that a vocabulary lacks.</summary>
public sealed record SpecialTokens
{
    /// <summary>No special tokens.</summary>
    public static SpecialTokens None { get; } = new();

    /// <summary>Padding token.</summary>
    public long? Padding { get; init; }

    /// <summary>Unknown token, for text outside the vocabulary.</summary>
    public long? Unknown { get; init; }

    /// <summary>Beginning-of-text token.</summary>
    public long? Beginning { get; init; }

    /// <summary>End-of-text token.</summary>
    public long? End { get; init; }

    /// <summary>BERT's [CLS], at the start of a text.</summary>
    public long? Classification { get; init; }

    /// <summary>BERT's [SEP], at the end of each text.</summary>
    public long? Separator { get; init; }

    /// <summary>BERT's [MASK], in place of a token to predict.</summary>
    public long? Mask { get; init; }
}
