namespace ResearchKit.Data;

/// <summary>Which examples of a data set.</summary>
public enum DataPart
{
    /// <summary>Those to learn from.</summary>
    Train,

    /// <summary>Those to test with: never seen in training.</summary>
    Test,

    /// <summary>All.</summary>
    All,
}

/// <summary>Texts and what they are to become.</summary>
/// <param name="Sources">What is given.</param>
/// <param name="Targets">What it should become, one for each source.</param>
public sealed record TextPairs(IReadOnlyList<string> Sources, IReadOnlyList<string> Targets)
{
    /// <summary>Number of pairs.</summary>
    public int Count => Sources.Count;

    /// <summary>
    /// The data set <c>cmudict</c>: spellings (lower-case letters and apostrophes) and their phonemes with spaces between.
    /// </summary>
    /// <param name="part">A tenth of the words is to test with; all pronunciations of a word are on one side.</param>
    /// <param name="seed">Which words those are follows from it.</param>
    /// <param name="onePronunciation">Leave out the other pronunciations of a word.</param>
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

    /// <summary>The data set <c>english-spanish-verses</c>.</summary>
    /// <param name="part">A tenth of the verses is to test with.</param>
    /// <param name="seed">Which verses those are follows from it.</param>
    public static TextPairs EnglishToSpanish(DataPart part, int seed = 0)
    {
        var table = CsvTable.Parse(DataSets.Open("english-spanish-verses").ReadText("verses.tsv.gz"), '\t',
            quoted: false, name: "verses.tsv.gz");
        var chosen = HeldOut.Split(table.Texts("reference"), part, seed);
        var rows = table.Rows.Where(row => chosen.Contains(row[table.IndexOf("reference")])).ToList();
        return new TextPairs([.. rows.Select(row => row[table.IndexOf("english")])],
            [.. rows.Select(row => row[table.IndexOf("spanish")])]);
    }

    /// <summary>The pairs as tokens, for batches with padding and masks.</summary>
    /// <param name="source">Makes tokens of a source; adds what the model wants at its ends.</param>
    /// <param name="target">Makes tokens of a target; adds what the model wants at its ends.</param>
    /// <param name="padding">Token that fills up sources.</param>
    public TokenPairs Tokens(Func<string, long[]> source, Func<string, long[]> target, long padding) =>
        new(Sources.Zip(Targets, (given, wanted) => (source(given), target(wanted))), padding);

    /// <inheritdoc/>
    public override string ToString() => Count == 0 ? "no pairs" : $"{Count:N0} pairs, such as '{Sources[0]}' and '{Targets[0]}'";
}
