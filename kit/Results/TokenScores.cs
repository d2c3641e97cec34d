namespace ResearchKit.Results;

/// <summary>One text with numbers for each token.</summary>
/// <param name="Tokens">The texts of the tokens, in order.</param>
/// <param name="Scores">[token, score]; NaN where there is no number.</param>
public sealed record ScoredText(IReadOnlyList<string> Tokens, double[,] Scores)
{
    /// <summary>[token, score]; NaN where there is no number.</summary>
    /// <exception cref="ArgumentException">It has another number of rows than there are tokens.</exception>
    public double[,] Scores { get; init; } = Scores.GetLength(0) == Tokens.Count ? Scores : throw new ArgumentException(
        $"Got scores of {Scores.GetLength(0)} tokens for {Tokens.Count} tokens; expected a row for each token.", nameof(Scores));
}

/// <summary>Texts with one or more numbers a token: attributions, losses, entropies, a feature's activations.</summary>
/// <param name="Title">What the numbers are, such as "integrated gradients".</param>
/// <param name="Unit">The unit of the numbers, such as "nats"; empty for a share.</param>
/// <param name="Names">The name of each number of a token, such as "class 0" and "class 1".</param>
/// <param name="Texts">The texts.</param>
public sealed record TokenScores(string Title, string Unit, IReadOnlyList<string> Names, IReadOnlyList<ScoredText> Texts)
{
    /// <summary>The texts.</summary>
    /// <exception cref="ArgumentException">A text has another number of scores than there are names.</exception>
    public IReadOnlyList<ScoredText> Texts { get; init; } = Texts.FirstOrDefault(text => text.Scores.GetLength(1) != Names.Count)
        is not { } other ? Texts : throw new ArgumentException(
            $"Got {other.Scores.GetLength(1)} scores a token for {Names.Count} names; expected one for each name.",
                nameof(Texts));

    /// <summary>The law behind the numbers and what they cost; null when the analysis has none.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>
    /// Returns the numbers as comma-separated values: a line for each token with the number of its text and its position, both
    /// from 0. A number that is NaN is an empty field.
    /// </summary>
    public string ToCsv() => Csv.Write(
        Texts.SelectMany((text, number) => text.Tokens.Select((token, position) =>
            Names.Select((_, score) => Csv.Number(text.Scores[position, score]))
                .Prepend(token).Prepend(Csv.Number(position)).Prepend(Csv.Number(number))))
            .Prepend(["text", "position", "token", .. Names]));

    /// <summary>Returns everything as JSON; a number that is not finite is null.</summary>
    public string ToJson() => ResultJson.Write(Title, Unit, Evidence, json =>
    {
        json.Texts("names", Names);
        json.WriteStartArray("texts");
        foreach (var text in Texts)
        {
            json.WriteStartObject();
            json.Texts("tokens", text.Tokens);
            json.Matrix("scores", text.Scores, json.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <inheritdoc/>
    public override string ToString() => $"{Title}: {Texts.Count} text{(Texts.Count == 1 ? "" : "s")}, "
        + $"{Texts.Sum(text => text.Tokens.Count)} tokens" + (Evidence is null ? "" : $" ({Evidence})");
}
