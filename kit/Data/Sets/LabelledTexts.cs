namespace ResearchKit.Data;

/// <summary>Texts and the class of each.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Labels">The class of each; numbers of <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">What the labels mean.</param>
public sealed record LabelledTexts(IReadOnlyList<string> Texts, IReadOnlyList<long> Labels, IReadOnlyList<string> ClassNames)
{
    /// <summary>Number of texts.</summary>
    public int Count => Texts.Count;

    /// <summary>
    /// The data set <c>uci-sentiment</c>: sentences of reviews, 0 for bad and 1 for good; a sentence that stands there twice is
    /// taken once.
    /// </summary>
    /// <param name="part">
    /// A fifth is to test with: the same share of each source and class, and always the same sentences.
    /// </param>
    public static LabelledTexts Sentiment(DataPart part)
    {
        var table = CsvTable.Parse(DataSets.Open("uci-sentiment").ReadText("sentences.tsv"), '\t',
            quoted: false, name: "sentences.tsv");
        var text = table.IndexOf("text");
        var source = table.IndexOf("source");
        var label = table.IndexOf("label");
        var rows = table.Rows.DistinctBy(row => row[text]).ToList();
        var chosen = rows.GroupBy(row => (row[source], row[label]))
            .SelectMany(group => HeldOut.Split(group.Select(row => row[text]), part, seed: 0, share: 0.2))
            .ToHashSet(StringComparer.Ordinal);
        rows.RemoveAll(row => !chosen.Contains(row[text]));
        return new LabelledTexts([.. rows.Select(row => row[text])],
            [.. rows.Select(row => long.Parse(row[label], System.Globalization.CultureInfo.InvariantCulture))], ["bad", "good"]);
    }

    /// <summary>The texts as tokens, for batches with padding and masks.</summary>
    /// <param name="tokens">Makes tokens of a text; adds what the model wants at its ends.</param>
    /// <param name="padding">Token that fills up a text.</param>
    public LabelledTokens Tokens(Func<string, long[]> tokens, long padding) =>
        new(Texts.Zip(Labels, (text, label) => (tokens(text), label)), padding);

    /// <inheritdoc/>
    public override string ToString() => $"{Count:N0} texts: "
        + $"{string.Join(", ", ClassNames.Select((name, label) => $"{Labels.Count(other => other == label)} {name}"))}";
}
