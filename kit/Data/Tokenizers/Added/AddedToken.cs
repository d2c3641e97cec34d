namespace ResearchKit.Data;

/// <summary>A token that is found in a text as a whole, before the text is split into words.</summary>
/// <param name="Content">The text of the token.</param>
/// <param name="Id">Its id.</param>
public sealed record AddedToken(string Content, int Id)
{
    /// <summary>Whether the token is left out of decoded texts on request, such as an end-of-text token.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>Whether the white space before the token belongs to it.</summary>
    public bool TakesSpaceBefore { get; init; }

    /// <summary>Whether the white space after the token belongs to it.</summary>
    public bool TakesSpaceAfter { get; init; }

    /// <summary>Whether the token is found only between characters that are no parts of words.</summary>
    public bool IsWholeWord { get; init; }

    /// <summary>Whether the token is found in the normalized text, such as the lower-cased one.</summary>
    public bool IsNormalized { get; init; }
}
