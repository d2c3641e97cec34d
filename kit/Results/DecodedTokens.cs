namespace ResearchKit.Results;

/// <summary>A token with its text.</summary>
/// <param name="Id">Its number in the vocabulary.</param>
/// <param name="Text">Its text.</param>
public sealed record DecodedToken(long Id, string Text);

/// <summary>A tensor of tokens with their texts.</summary>
/// <param name="Rows">The tokens of each text of the batch.</param>
public sealed record DecodedTokens(IReadOnlyList<IReadOnlyList<DecodedToken>> Rows)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Rows.Count} texts, {Rows.Sum(row => row.Count)} tokens";
}
