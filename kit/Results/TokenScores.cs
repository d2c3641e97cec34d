namespace ResearchKit.Results;

/// <summary>One text with numbers for each token.</summary>
/// <param name="Tokens">The texts of the tokens, in order.</param>
/// <param name="Scores">[token, score]; NaN where there is no number.</param>
public sealed record ScoredText(IReadOnlyList<string> Tokens, double[,] Scores);

/// <summary>Texts with one or more numbers a token: attributions, losses, entropies, a feature's activations.</summary>
/// <param name="Title">What the numbers are, such as "integrated gradients".</param>
/// <param name="Unit">The unit of the numbers, such as "nats"; empty for a share.</param>
/// <param name="Names">The name of each number of a token, such as "class 0" and "class 1".</param>
/// <param name="Texts">The texts.</param>
public sealed record TokenScores(string Title, string Unit, IReadOnlyList<string> Names, IReadOnlyList<ScoredText> Texts)
{
    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Texts.Count} text{(Texts.Count == 1 ? "" : "s")}, "
        + $"{Texts.Sum(text => text.Tokens.Count)} tokens" + (Evidence is null ? "" : $" ({Evidence})");
}
