namespace ResearchKit.Data;

/// <summary>Texts with a class label each.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Labels">Class of each text; indexes into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Name of each class, by label.</param>
public sealed record LabelledTexts(IReadOnlyList<string> Texts, IReadOnlyList<long> Labels, IReadOnlyList<string> ClassNames)
{
    /// <summary>Number of texts.</summary>
    public int Count => Texts.Count;

    /// <summary>
    /// Opens the data set <c>uci-sentiment</c>: sentences of reviews, 0 for bad and 1 for good, without duplicate
    /// sentences.
    /// </summary>
    /// <param name="part">
    /// Which part; the test part is a fixed fifth of the sentences of each source and class.
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

    /// <summary>Tokenizes the texts, for batches with padding and masks.</summary>
    /// <param name="tokens">
    /// Tokenizes a text, including the special tokens that the model expects at its ends.
    /// </param>
    /// <param name="padding">Padding token.</param>
    public LabelledTokens Tokens(Func<string, long[]> tokens, long padding) =>
        new(Texts.Zip(Labels, (text, label) => (tokens(text), label)), padding);

    /// <inheritdoc/>
    public override string ToString() => $"{Count:N0} texts: "
        + $"{string.Join(", ", ClassNames.Select((name, label) => $"{Labels.Count(other => other == label)} {name}"))}";
}
