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
    public void A_SentencePiece_model_is_read_as_a_T5_or_Llama_tokenizer()
    {
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceTests.Model("sentencepiece-bpe"));
        Assert.Equal(700, PretrainedTokenizers.FromFolder(folder).VocabularySize);
        File.WriteAllBytes(Path.Combine(folder, "spiece.model"), SentencePieceTests.Model("sentencepiece-unigram"));
        Assert.Equal("<extra_id_0>", PretrainedTokenizers.FromFolder(folder).Token(499));
        Write("tokenizer_config.json", """{ "extra_ids": 3 }""");
        Assert.Equal(403, PretrainedTokenizers.FromFolder(folder).VocabularySize);
    }

    [Fact]
    public void A_tokenizer_json_of_either_kind_is_read_and_a_malformed_one_is_named()
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
        var read = Assert.IsType<PretrainedTokenizer>(PretrainedTokenizers.FromFolder(folder));
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

        foreach (var broken in new[] { "{", "{}", "[]", """{ "model": { "type": "Unigram" } }""",
            """{ "model": { "type": "Lattice", "vocab": {} } }""", """{ "model": 5 }""", """{ "model": { "type": "BPE", "vocab": 3 }, "pre_tokenizer": null }""" })
        {
            Write("tokenizer.json", broken);
            Assert.Contains("tokenizer.json",
                Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_trained_tokenizer_is_saved_and_loaded()
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
    public void The_error_for_a_folder_without_a_tokenizer_lists_the_expected_files() =>
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
    public void A_malformed_vocabulary_is_refused_with_the_reason(string? vocabulary, string merges, string said)
    {
        vocabulary ??= JsonSerializer.Serialize(BpeTrainer.Train([], 257).Vocabulary);
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => ByteLevelBpeTokenizer.Parse(vocabulary, merges)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[UNK] [CLS] [SEP] a a", "'a'")]
    [InlineData("[UNK] [CLS] a", "[SEP]")]
    public void A_malformed_WordPiece_vocabulary_is_refused_with_the_reason(string vocabulary, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => new WordPieceTokenizer(vocabulary.Split(' '))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Of_equal_lines_of_a_BERT_vocabulary_the_last_counts_and_an_empty_line_has_an_id()
    {
        Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n\na\nb\n\na\n\n");
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        Assert.Equal(9, tokenizer.VocabularySize);
        Assert.Equal([7, 5, 0], tokenizer.Encode("a b c"));
        Assert.Equal("a a", tokenizer.Decode([4, 7]));
    }

    [Fact]
    public void Added_tokens_beside_a_GPT2_vocabulary_are_found_and_decoded()
    {
        var trained = BpeTrainer.Train(["the sea, the sea"], 262);
        trained.Save(folder);
        var size = trained.VocabularySize;
        Write("added_tokens.json", $$"""{ "<|b|>": {{size + 1}}, "[PAD]": {{size}}, "sea_": {{size + 3}} }""");
        Write("special_tokens_map.json", """{ "pad_token": "[PAD]", "additional_special_tokens": ["<|b|>", "<|new|>"] }""");
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        Assert.Equal(size + 5, tokenizer.VocabularySize);
        Assert.Equal(size, tokenizer.Special.Padding);
        Assert.Equal(trained.Special.End, tokenizer.Special.End);
        long[] expected = [.. trained.Encode("the "), size + 3, size + 1, size, .. trained.Encode(" sea"), size
            + 4, trained.Special.End!.Value];
        Assert.Equal(expected, tokenizer.Encode("the sea_<|b|>[PAD] sea<|new|><|endoftext|>"));
        Assert.Equal("the sea_<|b|>[PAD] sea<|new|><|endoftext|>", tokenizer.Decode(expected));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Token(size + 2));
    }

    [Fact]
    public void The_class_of_the_settings_says_how_Qwen_splits_and_refuses_CLIP()
    {
        var trained = BpeTrainer.Train(["12 12 the sea the sea"], 262);
        trained.Save(folder);
        Write("tokenizer_config.json", """{ "tokenizer_class": "Qwen2Tokenizer" }""");
        Assert.Equal([.. trained.Encode("1"), .. trained.Encode("2"), .. trained.Encode("\u00e9")],
            PretrainedTokenizers.FromFolder(folder).Encode("12e\u0301"));
        Write("tokenizer_config.json", """{ "tokenizer_class": "CLIPTokenizer" }""");
        Assert.Contains("CLIP", Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_prefix_space_is_added_where_the_settings_say_so()
    {
        var trained = BpeTrainer.Train(["the sea, the sea"], 262);
        trained.Save(folder);
        Write("tokenizer_config.json", """{ "add_prefix_space": true }""");
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        Assert.Equal(trained.Encode(" the"), tokenizer.Encode("the"));
        Assert.Equal(trained.Encode(" the"), tokenizer.Encode(" the"));

        // transformers lets the settings decide over tokenizer.json too
        Write("tokenizer.json", JsonSerializer.Serialize(new
        {
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false },
            model = new
            {
                type = "BPE",
                vocab = trained.Vocabulary,
                merges = trained.Merges.Select(merge => new[] { merge.Left, merge.Right }),
            },
        }));
        Assert.Equal(trained.Encode(" the"), PretrainedTokenizers.FromFolder(folder).Encode("the"));
        Write("tokenizer_config.json", "{}");
        Assert.Equal(trained.Encode("the"), PretrainedTokenizers.FromFolder(folder).Encode("the"));
    }

    [Fact]
    public void Added_tokens_of_BERT_are_found_as_they_are_or_in_lower_case()
    {
        Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nhi\n##s\n");
        Write("tokenizer_config.json", """
            { "do_lower_case": true, "added_tokens_decoder": {
                "6": { "content": "[NAME]", "special": true }, "9": { "content": "Covid19", "special": false } } }
            """);
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        Assert.Equal([4, 6, 1, 9, 4, 5, 9, 3], tokenizer.Encode("Hi [NAME] [name] COVID19 his covid19 [SEP]")
            .Where((_, at) => at is not (3 or 4)));
        Assert.Equal("Covid19 [NAME]", tokenizer.Decode([9, 6]));
        Assert.Equal(10, tokenizer.VocabularySize);
    }

    [Fact]
    public void Added_tokens_beside_a_SentencePiece_model_are_found()
    {
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceTests.Model("sentencepiece-bpe"));
        var plain = PretrainedTokenizers.FromFolder(folder);
        Write("added_tokens.json", """{ "<|user|>": 700, "[PAD]": 701 }""");
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        Assert.Equal(702, tokenizer.VocabularySize);
        Assert.Equal(701, tokenizer.Special.Padding);
        Assert.Equal([700, .. plain.Encode("hello"), 701], tokenizer.Encode("<|user|>hello[PAD]"));
        Assert.Equal("<|user|> hello", tokenizer.Decode([700, .. plain.Encode("hello")]));
    }

    [Fact]
    public void The_tokenizer_json_counts_before_the_files_that_it_was_made_from()
    {
        Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n");
        Write("tokenizer.json", """{ "model": { "type": "WordLevel", "vocab": { "a": 5, "<unk>": 0 } }, "pre_tokenizer": { "type": "Whitespace" } }""");
        Assert.Equal([5, 0], PretrainedTokenizers.FromFolder(folder).Encode("a b"));
    }

    [Fact]
    public void An_unpaired_surrogate_is_refused_by_GPT2_and_dropped_by_BERT()
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
