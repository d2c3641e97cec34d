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

    /// <summary>Reads text files in folders, one folder for each class; a file is a text.</summary>
    /// <param name="path">Folder of the class folders, with .txt files in them and in the folders inside.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">There is no class, one without texts, or a text that is not UTF-8.</exception>
    public static LabelledTexts FromFolder(string path)
    {
        var content = ClassFolders.List(path, "texts", [".txt", ".text", ".md"]);
        return new LabelledTexts([.. content.Files.Select(file => TextFile.Read(file))], content.Labels, content.ClassNames);
    }

    /// <summary>Takes texts and labels from a table. Rows without a text or a label are left out.</summary>
    /// <param name="table">The table.</param>
    /// <param name="text">Column of the texts.</param>
    /// <param name="label">Column of the labels; classes are in the order of numbers if they are numbers.</param>
    /// <exception cref="KeyNotFoundException">There is no such column; the message lists those there are.</exception>
    public static LabelledTexts FromTable(Table table, string text, string label)
    {
        ArgumentNullException.ThrowIfNull(table);
        var whole = table.WithoutMissing(text, label);
        var classes = TableLabels.Classes(whole, label);
        return new LabelledTexts([.. whole[text].Texts().Select(one => one!)], TableLabels.Numbers(whole, label, classes),
            classes);
    }

    /// <summary>Divides the texts at random; each class has its share in both parts.</summary>
    /// <param name="testShare">Share of the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <exception cref="ArgumentException">The share is out of range, or a part would be empty.</exception>
    public (LabelledTexts Train, LabelledTexts Test) Split(double testShare = 0.2, int seed = 1337)
    {
        var table = new Table([Column.Of("text", Texts), Column.Of("label", Labels.Select(label => (double)label))], "the texts");
        var (train, test) = table.Split(testShare, seed, stratify: "label");
        return (Part(train), Part(test));

        LabelledTexts Part(Table rows) => this with
        {
            Texts = [.. rows["text"].Texts().Select(one => one!)],
            Labels = [.. rows["label"].Numbers().Select(label => (long)label)],
        };
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
