namespace ResearchKit.Data;

/// <summary>Ids of the tokens that stand for no text; null where a vocabulary has none.</summary>
public sealed record SpecialTokens
{
    /// <summary>A vocabulary without any.</summary>
    public static SpecialTokens None { get; } = new();

    /// <summary>Fills up short sequences.</summary>
    public long? Padding { get; init; }

    /// <summary>Stands for what the vocabulary cannot write.</summary>
    public long? Unknown { get; init; }

    /// <summary>Begins a text.</summary>
    public long? Beginning { get; init; }

    /// <summary>Ends a text.</summary>
    public long? End { get; init; }

    /// <summary>BERT's [CLS], in front of a text.</summary>
    public long? Classification { get; init; }

    /// <summary>BERT's [SEP], after each text.</summary>
    public long? Separator { get; init; }

    /// <summary>BERT's [MASK], in place of a token to guess.</summary>
    public long? Mask { get; init; }
}
