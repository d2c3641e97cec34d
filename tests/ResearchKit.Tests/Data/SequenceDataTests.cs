using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class SequenceDataTests
{
    [Fact]
    public void A_batch_is_padded_to_its_longest_sequence_and_masked()
    {
        var pairs = new TokenPairs([([5, 6, 7], [1]), ([8], [2, 3]), ([9, 9], [4, 4, 4])], padding: 0);
        using var batch = pairs.Fetch([1, 0]);
        Assert.Equal([8, 0, 0, 5, 6, 7], batch.Inputs.data<long>().ToArray());
        Assert.Equal([1, 0, 0, 1, 1, 1], batch.Mask!.data<long>().ToArray());
        Assert.Equal([2, 3, 1, TokenPairs.Ignored], batch.Targets.data<long>().ToArray());
        Assert.Equal([2, 3], batch.Inputs.shape);
        Assert.Contains("Pair 1", Assert.Throws<ArgumentException>(() => new TokenPairs([([1], [1]), ([], [1])], 0)).Message,
            StringComparison.Ordinal);

        using var labelled = new LabelledTokens([([5], 1), ([6, 7], 0)], padding: 3).Fetch([0, 1]);
        Assert.Equal([5, 3, 6, 7], labelled.Inputs.data<long>().ToArray());
        Assert.Equal([1, 0], labelled.Targets.data<long>().ToArray());
        Assert.Equal([1, 0, 1, 1], labelled.Mask!.data<long>().ToArray());
    }

    [Fact]
    public void Spellings_are_split_by_word_and_by_seed()
    {
        var (train, test) = (TextPairs.SpellingToPhonemes(DataPart.Train, onePronunciation: false),
            TextPairs.SpellingToPhonemes(DataPart.Test, onePronunciation: false));
        Assert.Empty(train.Sources.Intersect(test.Sources));
        Assert.Equal(TextPairs.SpellingToPhonemes(DataPart.All, onePronunciation: false).Count, train.Count + test.Count);
        Assert.InRange(test.Count, 12_000, 14_500);
        Assert.NotEqual(test.Sources, TextPairs.SpellingToPhonemes(DataPart.Test, seed: 1, onePronunciation: false).Sources);
        Assert.Equal(test.Sources, TextPairs.SpellingToPhonemes(DataPart.Test, onePronunciation: false).Sources);
        var one = TextPairs.SpellingToPhonemes(DataPart.All);
        Assert.Equal(one.Count, one.Sources.Distinct().Count());
        Assert.Contains(("hello", "HH AH0 L OW1"), one.Sources.Zip(one.Targets));
    }

    [Fact]
    public void Letters_and_phonemes_are_tokens()
    {
        var letters = new SymbolTokenizer(["cab"], spaced: false);
        var phonemes = new SymbolTokenizer(["K AE1 B", "B AH0"], spaced: true);
        Assert.Equal(["<pad>", "</s>", "<unk>", "AE1", "AH0", "B", "K"], Enumerable.Range(0, 7).Select(id => phonemes.Token(id)));
        Assert.Equal([6, 3, 5, 1], phonemes.EncodeWithEnd("K AE1 B"));
        Assert.Equal([5, 2], letters.Encode("cz"));
        Assert.Equal("K AE1", phonemes.Decode([0, 6, 3, 1, 5, 0]));
        Assert.Equal("cab", letters.Decode(letters.EncodeWithEnd("cab")));
        using var batch = new TextPairs(["cab", "b"], ["K AE1 B", "B"]).Tokens(letters.EncodeWithEnd, phonemes.EncodeWithEnd, 0)
            .Fetch([0, 1]);
        Assert.Equal([2, 4], batch.Targets.shape);
    }

    [Fact]
    public void Verses_are_split_and_keep_their_accents()
    {
        var (train, test) = (TextPairs.EnglishToSpanish(DataPart.Train), TextPairs.EnglishToSpanish(DataPart.Test));
        Assert.Equal(16_863, train.Count + test.Count);
        Assert.Equal(1686, test.Count);
        Assert.Contains(train.Targets.Concat(test.Targets), verse => verse == "Y dijo Dios: Sea la luz: y fué la luz.");
    }

    [Fact]
    public void The_sentiment_split_is_balanced_and_has_no_sentence_in_both_parts()
    {
        var (train, test) = (LabelledTexts.Sentiment(DataPart.Train), LabelledTexts.Sentiment(DataPart.Test));
        Assert.Empty(train.Texts.Intersect(test.Texts));
        Assert.InRange(test.Count, 590, 600);
        Assert.InRange(train.Count, 2370, 2400);
        Assert.InRange(test.Labels.Average(), 0.49, 0.51);
        Assert.Contains("good", test.ToString(), StringComparison.Ordinal);
        using var batch = train.Tokens(new ByteTokenizer().Encode, 0).Fetch([0, 1]);
        Assert.Equal(2, batch.Targets.shape[0]);
    }
}
