namespace ResearchKit.Data;

/// <summary>Part of a data set.</summary>
public enum DataPart
{
    /// <summary>Training examples.</summary>
    Train,

    /// <summary>Test examples, which are not in the training part.</summary>
    Test,

    /// <summary>All examples.</summary>
    All,
}

/// <summary>Pairs of source and target texts.</summary>
/// <param name="Sources">Source texts.</param>
/// <param name="Targets">Target text of each source.</param>
public sealed record TextPairs(IReadOnlyList<string> Sources, IReadOnlyList<string> Targets)
{
    /// <summary>Number of pairs.</summary>
    public int Count => Sources.Count;

    /// <summary>
    /// Opens the data set <c>cmudict</c>: spellings (lower-case letters and apostrophes) and their phonemes,
    /// separated by spaces.
    /// </summary>
    /// <param name="part">
    /// Which part; the test part is a tenth of the words. All pronunciations of a word are in the same part.
    /// </param>
    /// <param name="seed">Seed of the split.</param>
    /// <param name="onePronunciation">Whether to keep only one pronunciation of each word.</param>
    public static TextPairs SpellingToPhonemes(DataPart part, int seed = 0, bool onePronunciation = true)
    {
        var entries = DataSets.Open("cmudict").ReadText("cmudict.tsv.gz").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.TrimEnd('\r').Split('\t'))
            .Select(cells => (Word: cells[0].Split('(')[0].ToLowerInvariant(), Other: cells[0].EndsWith(')'), Phonemes: cells[1]))
            .Where(entry => entry.Word.Any(char.IsAsciiLetter) && entry.Word
                .All(letter => letter == '\'' || char.IsAsciiLetter(letter)))
            .Where(entry => !onePronunciation || !entry.Other).ToList();
        var chosen = HeldOut.Split(entries.Select(entry => entry.Word), part, seed);
        entries.RemoveAll(entry => !chosen.Contains(entry.Word));
        return new TextPairs([.. entries.Select(entry => entry.Word)], [.. entries.Select(entry => entry.Phonemes)]);
    }

    /// <summary>Opens the data set <c>english-spanish-verses</c>.</summary>
    /// <param name="part">Which part; the test part is a tenth of the verses.</param>
    /// <param name="seed">Seed of the split.</param>
    public static TextPairs EnglishToSpanish(DataPart part, int seed = 0)
    {
        var table = CsvTable.Parse(DataSets.Open("english-spanish-verses").ReadText("verses.tsv.gz"), '\t',
            quoted: false, name: "verses.tsv.gz");
        var chosen = HeldOut.Split(table.Texts("reference"), part, seed);
        var rows = table.Rows.Where(row => chosen.Contains(row[table.IndexOf("reference")])).ToList();
        return new TextPairs([.. rows.Select(row => row[table.IndexOf("english")])],
            [.. rows.Select(row => row[table.IndexOf("spanish")])]);
    }

    /// <summary>Tokenizes the pairs, for batches with padding and masks.</summary>
    /// <param name="source">
    /// Tokenizes a source, including the special tokens that the model expects at its ends.
    /// </param>
    /// <param name="target">
    /// Tokenizes a target, including the special tokens that the model expects at its ends.
    /// </param>
    /// <param name="padding">Padding token of sources.</param>
    public TokenPairs Tokens(Func<string, long[]> source, Func<string, long[]> target, long padding) =>
        new(Sources.Zip(Targets, (given, wanted) => (source(given), target(wanted))), padding);

    /// <inheritdoc/>
    public override string ToString() => Count == 0 ? "no pairs" : $"{Count:N0} pairs, such as '{Sources[0]}' and '{Targets[0]}'";
}
