using System.Text.Json;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class PretrainedTokenizersTests : IDisposable
{
    private const string Text = "Héllo, 世界 don't";
    private readonly string folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    [Theory]
    [InlineData("vocab.json", "merges.txt")]
    [InlineData("encoder.json", "vocab.bpe")]
    public void GPT2_is_read_from_its_two_files(string vocabulary, string merges)
    {
        var set = DataSets.Open("gpt2-vocabulary");
        Write(vocabulary, set.ReadText("encoder.json.gz"));
        Write(merges, set.ReadText("vocab.bpe.gz"));
        Assert.Equal(ByteLevelBpeTokenizer.Gpt2().Encode(Text),
            Assert.IsType<ByteLevelBpeTokenizer>(PretrainedTokenizers.FromFolder(folder)).Encode(Text));
    }

    [Fact]
    public void BERT_is_read_with_its_settings()
    {
        var vocabulary = DataSets.Open("bert-vocabulary").ReadText("vocab.txt");
        Write("vocab.txt", vocabulary);
        Assert.Equal(WordPieceTokenizer.BertUncased().Encode(Text), PretrainedTokenizers.FromFolder(folder).Encode(Text));
        Write("tokenizer_config.json", """{ "do_lower_case": false, "strip_accents": null, "tokenize_chinese_chars": false }""");
        var expected = WordPieceTokenizer.Parse(vocabulary, WordPieceOptions.Cased with { SplitIdeographs = false });
        Assert.Equal(expected.Encode(Text), PretrainedTokenizers.FromFolder(folder).Encode(Text));
        Assert.NotEqual(WordPieceTokenizer.BertUncased().Encode(Text), expected.Encode(Text));
        Write("tokenizer_config.json", "[");
        Assert.Contains("tokenizer_config.json",
            Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SentencePiece_is_read_as_T5s_or_Llamas()
    {
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceTests.Model("sentencepiece-bpe"));
        Assert.Equal(700, PretrainedTokenizers.FromFolder(folder).VocabularySize);
        File.WriteAllBytes(Path.Combine(folder, "spiece.model"), SentencePieceTests.Model("sentencepiece-unigram"));
        Assert.Equal("<extra_id_0>", PretrainedTokenizers.FromFolder(folder).Token(499));
        Write("tokenizer_config.json", """{ "extra_ids": 3 }""");
        Assert.Equal(403, PretrainedTokenizers.FromFolder(folder).VocabularySize);
    }

    [Fact]
    public void A_tokenizer_json_of_either_kind_is_read_and_others_are_named()
    {
        var trained = BpeTrainer.Train(["the sea, the sea"], 262);
        var vocabulary = trained.Vocabulary.Where(entry => entry.Key != "<|endoftext|>").ToDictionary();
        var model = new
        {
            type = "BPE",
            vocab = vocabulary,
            merges = trained.Merges.Select(merge => new[] { merge.Left, merge.Right })
        };
        object[] added = [new { id = vocabulary.Count, content = "<|endoftext|>" }];
        Write("tokenizer.json",
            JsonSerializer.Serialize(new
            {
                added_tokens = added,
                normalizer = (object?)null,
                pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false },
                model
            }));
        var read = Assert.IsType<ByteLevelBpeTokenizer>(PretrainedTokenizers.FromFolder(folder));
        Assert.Equal(trained.Encode("the seas"), read.Encode("the seas"));
        Assert.Equal(trained.Special, read.Special);

        string[] tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "sea", "##s", "É"];
        var pieces = new
        {
            type = "WordPiece",
            vocab = tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id),
            max_input_chars_per_word = 4
        };
        Write("tokenizer.json",
            JsonSerializer.Serialize(new
            {
                normalizer = new { type = "BertNormalizer", lowercase = false },
                pre_tokenizer = new { type = "BertPreTokenizer" },
                model = pieces
            }));
        Assert.Equal([4, 5, 6, 1], PretrainedTokenizers.FromFolder(folder).Encode("seas É seass"));

        Write("tokenizer.json", """{ "model": { "type": "Unigram" } }""");
        Assert.Contains("Unigram", Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder)).Message,
            StringComparison.Ordinal);
        foreach (var broken in new[] { "{", "{}", "[]", """{ "model": 5 }""", """{ "model": { "type": "BPE", "vocab": 3 }, "pre_tokenizer": null }""" })
        {
            Write("tokenizer.json", broken);
            Assert.Contains("tokenizer.json",
                Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_trained_is_saved_and_read_again()
    {
        var pairs = BpeTrainer.Train(["the sea, the sea #1"], 264);
        pairs.Save(folder);
        var readPairs = Assert.IsType<ByteLevelBpeTokenizer>(PretrainedTokenizers.FromFolder(folder));
        Assert.Equal(pairs.Vocabulary.OrderBy(entry => entry.Value), readPairs.Vocabulary.OrderBy(entry => entry.Value));
        Assert.Equal(pairs.Merges, readPairs.Merges);

        var unigram = UnigramTrainer.Train(["the sea the seas of the tea 🌊"], 30);
        unigram.Save(Path.Combine(folder, "tokenizer.model"));
        Same(unigram, PretrainedTokenizers.FromFolder(folder), "the tea seas x 🌊");
        foreach (var name in new[] { "sentencepiece-unigram", "sentencepiece-bytes", "sentencepiece-bpe" })
        {
            var model = SentencePieceTokenizer.Parse(SentencePieceTests.Model(name));
            model.Save(Path.Combine(folder, "tokenizer.model"));
            Same(model, PretrainedTokenizers.FromFolder(folder), "Sir  Walter, <extra_id_0> \uFF21 é");
        }
    }

    [Fact]
    public void A_folder_without_a_tokenizer_says_what_was_looked_for() =>
        Assert.Contains("spiece.model",
            Assert.Throws<FileNotFoundException>(() => PretrainedTokenizers.FromFolder(folder)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "a": 0 }""", "", "lacks the byte")]
    [InlineData("[", "", "JSON")]
    [InlineData("""{ "a": 0, "b": 0 }""", "", "also that of 'a'")]
    [InlineData("""{ "a": 1999999999 }""", "", "1999999999")]
    [InlineData("""{ "a": -1 }""", "", "negative")]
    [InlineData(null, "a b c", "Line 1")]
    [InlineData(null, "#version: 0.2\nqq zz", "'qq zz'")]
    public void A_malformed_vocabulary_says_what_is_wrong(string? vocabulary, string merges, string said)
    {
        vocabulary ??= JsonSerializer.Serialize(BpeTrainer.Train([], 257).Vocabulary);
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => ByteLevelBpeTokenizer.Parse(vocabulary, merges)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[UNK]\n[CLS]\n[SEP]\na\na", "'a'")]
    [InlineData("[UNK]\n[CLS]\na", "[SEP]")]
    public void A_malformed_list_of_pieces_says_what_is_wrong(string vocabulary, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => WordPieceTokenizer.Parse(vocabulary)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Half_a_surrogate_pair_is_refused_by_bytes_and_dropped_by_BERT()
    {
        Assert.Contains("Character 1",
            Assert.Throws<ArgumentException>(() => ByteLevelBpeTokenizer.Gpt2().Encode("a\uD800b")).Message,
            StringComparison.Ordinal);
        Assert.Equal(WordPieceTokenizer.BertUncased().Encode("ab"), WordPieceTokenizer.BertUncased().Encode("a\uD800b"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void Same(SentencePieceTokenizer expected, ITokenizer got, string text)
    {
        Assert.Equal(Enumerable.Range(0, expected.VocabularySize).Select(id => expected.Token(id)),
            Enumerable.Range(0, got.VocabularySize).Select(id => got.Token(id)));
        Assert.Equal(expected.Special, got.Special);
        Assert.Equal(expected.Encode(text), got.Encode(text));
        Assert.Equal(expected.Decode(expected.Encode(text)), got.Decode(got.Encode(text)));
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(folder, file), text);
}
