using System.Text.Json;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

/// <summary>The ids that the reference tokenizers give to tricky strings.</summary>
public sealed class GoldenTokenizerTests
{
    private static readonly Lazy<WordPieceTokenizer> Bert = new(() => WordPieceTokenizer.BertUncased());
    private static readonly Lazy<ByteLevelBpeTokenizer> Gpt2 = new(ByteLevelBpeTokenizer.Gpt2);

    [Fact]
    public void Gpt2_encodes_every_string_like_the_reference_and_decodes_it()
    {
        foreach (var example in Cases("tokenizer-gpt2-bpe"))
        {
            var text = example.GetProperty("text").GetString()!;
            Same(text, Strings(example, "pretokens"), ByteLevelBpeTokenizer.Words(text));
            var ids = Gpt2.Value.Encode(text);
            Same(text, Ids(example, "ids"), ids);
            Assert.Equal(text, Gpt2.Value.Decode(ids));
        }
    }

    [Fact]
    public void Bert_encodes_every_string_like_the_reference()
    {
        foreach (var example in Cases("tokenizer-wordpiece"))
        {
            var text = example.GetProperty("text").GetString()!;
            var ids = Bert.Value.Encode(text);
            Same(text, Strings(example, "tokens"), ids.Select(Bert.Value.Token));
            Same(text, Ids(example, "ids"), ids);
            Same(text, Ids(example, "ids_with_special"), Bert.Value.EncodeForBert(text).Ids);
            Assert.Equal(example.GetProperty("decoded").GetString(), Bert.Value.Decode(ids));
        }
    }

    [Fact]
    public void The_original_BERT_tokenizer_differs_only_in_the_listed_cases()
    {
        var original = WordPieceTokenizer.BertUncased(WordPieceOptions.Original);
        var differing = 0;
        foreach (var example in Cases("tokenizer-wordpiece"))
        {
            var differs = example.TryGetProperty("original_bert_ids", out _);
            differing += differs ? 1 : 0;
            Same(example.GetProperty("text").GetString()!, Ids(example, differs ? "original_bert_ids" : "ids"),
                original.Encode(example.GetProperty("text").GetString()!));
        }
        Assert.Equal(4, differing);
    }

    [Fact]
    public void Pairs_are_joined_truncated_and_padded_like_the_reference()
    {
        var cases = 0;
        foreach (var example in Cases("tokenizer-wordpiece", "pair_cases"))
        {
            cases++;
            var length = example.GetProperty("max_length");
            var got = Bert.Value.EncodeForBert(example.GetProperty("text").GetString()!, example.GetProperty("pair").GetString(),
                length.ValueKind == JsonValueKind.Null
                    ? null : length.GetInt32(), example.GetProperty("padding").GetString() == "max_length");
            Assert.Equal(Ids(example, "input_ids"), got.Ids);
            Assert.Equal(Ids(example, "token_type_ids"), got.Types);
            Assert.Equal(Ids(example, "attention_mask"), got.Mask);
        }
        Assert.Equal(5, cases);
    }

    [Fact]
    public void Special_tokens_have_their_published_ids()
    {
        Assert.Equal(50256, Gpt2.Value.Special.End);
        Assert.Equal(50257, Gpt2.Value.VocabularySize);
        Assert.Equal(new SpecialTokens { Padding = 0, Unknown = 100, Classification = 101, Separator = 102, Mask = 103 },
            Bert.Value.Special);
        Assert.Equal("<|endoftext|>", Gpt2.Value.Decode([50256]));
    }

    private static JsonElement.ArrayEnumerator Cases(string name, string property = "cases")
    {
        var path = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name, "expected.json");
        return JsonDocument.Parse(File.ReadAllText(path)).RootElement.GetProperty(property).EnumerateArray();
    }

    private static long[] Ids(JsonElement example, string name) =>
        [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt64())];

    private static string[] Strings(JsonElement example, string name) =>
        [.. example.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    private static void Same<T>(string text, IEnumerable<T> expected, IEnumerable<T> got) =>
        Assert.True(expected.SequenceEqual(got),
        $"{JsonSerializer.Serialize(text)}\nexpected {string.Join(' ', expected.Take(60))}\ngot      {string.Join(' ', got.Take(60))}");
}
