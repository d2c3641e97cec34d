using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using ResearchKit.Data;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Tests.Data;

/// <summary>Tokenizers of <c>tokenizer.json</c>, against the ids and texts of Hugging Face's tokenizers.</summary>
public sealed class PretrainedTokenizerTests
{
    private static readonly Dictionary<string, JsonElement> Kinds = Golden("tokenizer-json");

    public static TheoryData<string> Names => new(Kinds.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_text_is_encoded_and_decoded_as_by_the_reference(string name)
    {
        var tokenizer = TokenizerJson.Parse(Json(name), "tokenizer.json");
        foreach (var example in Kinds[name].GetProperty("cases").EnumerateArray())
        {
            var text = example.GetProperty("text").GetString()!;
            var ids = Ids(example, "ids");
            Same(text, ids, tokenizer.Encode(text));
            Assert.Equal(example.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
            if (!example.TryGetProperty("pair", out _)) continue;
            Same(text, Ids(example, "full"), tokenizer.EncodeForModel(text).Ids);
            var pair = tokenizer.EncodeForModel(text, "hello the");
            Same(text, Ids(example, "pair"), pair.Ids);
            Same(text, Ids(example, "types"), pair.Types);
        }
    }

    [Fact]
    public void Any_text_survives_bytes()
    {
        var tokenizers = new[] { "gpt2", "llama3", "o200k", "deepseek" }.Select(name => TokenizerJson.Parse(Json(name), name))
            .ToArray();
        var character = Gen.OneOf(Gen.Int[0, 0x2FF], Gen.Int[0x4E00, 0x4E20], Gen.Int[0x1F600, 0x1F610], Gen.Const((int)' '))
            .Select(char.ConvertFromUtf32);
        character.Array[0, 40].Select(string.Concat).Sample(text =>
        {
            foreach (var tokenizer in tokenizers) Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }, iter: 200);
    }

    [Fact]
    public void A_word_of_any_length_is_merged_from_the_left()
    {
        var tokenizer = TokenizerJson.Parse("""
            { "model": { "type": "BPE", "vocab": { "a": 0, "aa": 1, "aaa": 2, "aaaa": 3 }, "merges": ["a a", "aa aa", "aa a"] } }
            """, "tokenizer.json");
        Assert.Equal([.. Enumerable.Repeat(3L, 50_000), 2], tokenizer.Encode(new string('a', 200_003)));
    }

    [Fact]
    public void An_added_token_has_the_id_of_the_file()
    {
        var json = JsonNode.Parse(Json("gpt2"))!;
        json["added_tokens"]![1]!["id"] = 1000;
        var tokenizer = TokenizerJson.Parse(json.ToJsonString(), "tokenizer.json");
        Assert.Equal(1001, tokenizer.VocabularySize);
        Assert.Equal(1000, tokenizer.Find("<|user|>"));
        Assert.Equal(1000, tokenizer.Encode("<|user|>hello")[0]);
        Assert.Equal("<|user|>", tokenizer.Decode([1000]));
        Assert.Equal("", tokenizer.Decode([1000], skipSpecial: true));
        Assert.Contains("no token 999", Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([999]))
            .Message, StringComparison.Ordinal);
        json["added_tokens"]![1]!["id"] = 2_000_000_000;
        Assert.Contains("2000000000", Assert.Throws<InvalidDataException>(() => TokenizerJson.Parse(json.ToJsonString(), "x"))
            .Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_added_tokens_with_the_same_text_the_last_is_found_and_both_are_decoded()
    {
        var json = JsonNode.Parse(Json("gpt2"))!;
        var again = json["added_tokens"]![1]!.DeepClone();
        again["id"] = 700;
        json["added_tokens"]!.AsArray().Add(again);
        var tokenizer = TokenizerJson.Parse(json.ToJsonString(), "tokenizer.json");
        Assert.Equal([700], tokenizer.Encode("<|user|>"));
        Assert.Equal("<|user|><|user|>", tokenizer.Decode([(int)json["added_tokens"]![1]!["id"]!, 700]));
    }

    [Fact]
    public void An_added_token_with_the_bytes_of_its_own_letters_is_decoded_as_itself()
    {
        var json = JsonNode.Parse(Json("gpt2"))!;
        json["added_tokens"]![0]!["content"] = "ilÖveyou";
        var tokenizer = TokenizerJson.Parse(json.ToJsonString(), "tokenizer.json");
        Assert.Equal("ilÖveyou Ö", tokenizer.Decode(tokenizer.Encode("ilÖveyou Ö")));
    }

    [Fact]
    public void Texts_are_shortened_and_padded_with_their_special_tokens()
    {
        var tokenizer = TokenizerJson.Parse(Json("bert"), "tokenizer.json");
        var whole = tokenizer.EncodeForModel("hello world", "the name", maximumLength: 9, pad: true);
        Assert.Equal([1L, 1, 1, 1, 1, 1, 1, 0, 0], whole.Mask);
        Assert.Equal(0, whole.Ids[^1]);
        Assert.Equal(5, tokenizer.EncodeForModel("hello world", "the name", maximumLength: 5).Ids.Length);
        Assert.Contains("need 3", Assert.Throws<ArgumentException>(() => tokenizer.EncodeForModel("a", "b", maximumLength: 2))
            .Message,
            StringComparison.Ordinal);
        var gpt2 = TokenizerJson.Parse(Json("gpt2"), "gpt2.json");
        Assert.Contains("gpt2.json has none",
            Assert.Throws<ArgumentException>(() => gpt2.EncodeForModel("a", maximumLength: 4, pad: true)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{ "type": "Magic" }""", "'Magic'")]
    [InlineData("pre_tokenizer", """{ "type": "Magic" }""", "'Magic'")]
    [InlineData("decoder", """{ "type": "Magic" }""", "'Magic'")]
    [InlineData("post_processor", """{ "type": "Magic" }""", "'Magic'")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "a\\Kb" }, "behavior": "Isolated" }""", "\\K")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "[a" }, "behavior": "Isolated" }""", "without a ']'")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "(a" }, "behavior": "Isolated" }""", "without a ')'")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "\\p{Klingon}" }, "behavior": "Isolated" }""", "Klingon")]
    [InlineData("pre_tokenizer", """{ "type": "Split", "pattern": { "Regex": "a" }, "behavior": "Sideways" }""", "Sideways")]
    [InlineData("pre_tokenizer", """{ "type": "Metaspace", "prepend_scheme": "sometimes" }""", "sometimes")]
    [InlineData("added_tokens", """[{ "content": "x" }]""", "'id'")]
    [InlineData("added_tokens", """[{ "id": -4, "content": "x" }]""", "-4")]
    [InlineData("model", """{ "type": "BPE", "vocab": { "a": 0 }, "merges": ["a b"] }""", "'a b'")]
    [InlineData("model", """{ "type": "BPE", "vocab": { "a": 0 }, "merges": ["a"] }""", "two tokens")]
    [InlineData("model", """{ "type": "WordPiece", "vocab": { "a": 0 } }""", "[UNK]")]
    [InlineData("model", """{ "type": "WordPiece", "vocab": { "a": 0 }, "unk_token": 3 }""", "'unk_token' is 3")]
    [InlineData("model", """{ "type": "Unigram", "vocab": [["a", 0]], "unk_id": 4 }""", "4")]
    public void What_is_not_supported_or_malformed_is_named(string part, string value, string said)
    {
        var json = JsonNode.Parse(Json("word-level"))!;
        json[part] = JsonNode.Parse(value);
        var error = Assert.Throws<InvalidDataException>(() => TokenizerJson.Parse(json.ToJsonString(), "tokenizer.json"));
        Assert.Contains("tokenizer.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[a-c&&[^b]]+", "abca", "a,ca")]
    [InlineData("[[:digit:]x]+", "a1x2b", "1x2")]
    [InlineData("[^a[bc]]", "abcd", "d")]
    [InlineData("a++b?+", "aab", "aab")]
    [InlineData("a{,2}", "aaa", "aa,a")]
    [InlineData(@"\h+", "xbeefz", "beef")]
    [InlineData(@"\p{Han}+", "a世\U00020000界b", "世\U00020000界")]
    [InlineData(@"\p{L}+", "\U0001D400\U0001D41Ab 1", "\U0001D400\U0001D41Ab")]
    [InlineData(@"\w+", "a\u200Db c", "a\u200Db,c")]
    [InlineData(@"^b|c$", "a\nb\nc\nd", "b,c")]
    [InlineData(@"\pL+", "ab1", "ab")]
    [InlineData(@"[\u0041-\x{43}]", "ABCD", "A,B,C")]
    [InlineData("{x}", "a{x}", "{x}")]
    public void Patterns_of_Oniguruma_mean_the_same(string pattern, string text, string expected) =>
        Assert.Equal(expected, string.Join(',', new TokenPattern(pattern, "the test").Matches(text)
            .Select(match => text.Substring(match.Start, match.Length))));

    internal static Dictionary<string, JsonElement> Golden(string folder)
    {
        var path = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", folder, "expected.json");
        return JsonDocument.Parse(File.ReadAllText(path)).RootElement.GetProperty("kinds").EnumerateArray()
            .ToDictionary(kind => kind.GetProperty("name").GetString()!);
    }

    internal static long[] Ids(JsonElement example, string name) =>
        [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt64())];

    internal static void Same(string text, long[] expected, long[] got) => Assert.True(expected.SequenceEqual(got),
        $"{JsonSerializer.Serialize(text)}\nexpected {string.Join(' ', expected)}\ngot      {string.Join(' ', got)}");

    private static string Json(string name)
    {
        var text = Kinds[name].GetProperty("tokenizer").GetRawText();
        if (name != "precompiled") return text;
        var map = PieceModel.Parse(SentencePieceTests.Model("sentencepiece-unigram"), "the model").CharacterMap;
        return text.Replace("CHARACTER MAP", Convert.ToBase64String(map), StringComparison.Ordinal);
    }
}
