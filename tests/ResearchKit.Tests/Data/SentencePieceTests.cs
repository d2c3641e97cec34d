using System.IO.Compression;
using System.Text.Json;
using CsCheck;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class SentencePieceTests
{
    [Theory]
    [InlineData("sentencepiece-unigram")]
    [InlineData("sentencepiece-bpe")]
    [InlineData("sentencepiece-bytes")]
    public void Ids_and_decoded_texts_equal_the_reference(string name)
    {
        var tokenizer = SentencePieceTokenizer.Parse(Model(name));
        var json = File.ReadAllText(Path.Combine(Folder(name), "expected.json"));
        foreach (var example in JsonDocument.Parse(json).RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = example.GetProperty("text").GetString()!;
            var expected = example.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64()).ToArray();
            var got = tokenizer.Encode(text);
            Assert.True(expected.SequenceEqual(got),
                $"{JsonSerializer.Serialize(text)}\nexpected {string.Join(' ', expected)}\ngot      {string.Join(' ', got)}");
            var decoded = tokenizer.Decode(expected);
            Assert.True(example.GetProperty("decoded").GetString() == decoded,
                $"{JsonSerializer.Serialize(text)}\nexpected {JsonSerializer.Serialize(example.GetProperty("decoded").GetString())}\ngot      {JsonSerializer.Serialize(decoded)}");
        }
    }

    [Fact]
    public void Special_tokens_are_found_by_their_kind()
    {
        Assert.Equal(new SpecialTokens { Padding = 0, End = 1, Unknown = 2 },
            SentencePieceTokenizer.Parse(Model("sentencepiece-unigram")).Special);
        Assert.Equal(new SpecialTokens { Unknown = 0, Beginning = 1, End = 2 },
            SentencePieceTokenizer.Parse(Model("sentencepiece-bpe")).Special);
    }

    [Fact]
    public void Added_tokens_have_ids_after_the_pieces()
    {
        var tokenizer = SentencePieceTokenizer.Parse(Model("sentencepiece-unigram"), SentencePieceTokenizer.T5Sentinels);
        Assert.Equal(500, tokenizer.VocabularySize);
        Assert.Equal(497, tokenizer.Encode("Anne<extra_id_2>Sir")[^(tokenizer.Encode("Sir").Length + 1)]);
        Assert.Equal("<extra_id_99>", tokenizer.Token(400));
        Assert.Equal("the<extra_id_2> sea",
            tokenizer.Decode([.. tokenizer.Encode("the<extra_id_2> sea")]).Replace("  ", " ", StringComparison.Ordinal));
        Assert.Contains("500", Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([500])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_malformed_model_is_refused_with_the_reason()
    {
        foreach (var name in new[] { "sentencepiece-bpe", "sentencepiece-unigram" })
        {
            var whole = Model(name);
            Gen.Select(Gen.Int[0, whole.Length], Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Array[0, 4])
                .Sample((length, changes) =>
            {
                var file = whole[..length];
                foreach (var (at, value) in changes)
                    if (at < length) file[at] = value;
                try
                {
                    SentencePieceTokenizer.Parse(file).Encode("Sir Walter é");
                }
                catch (InvalidDataException)
                {
                }
            }, iter: 60);
        }
        Assert.Contains("wire type", Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.Parse([0x08, 1])).Message,
            StringComparison.Ordinal);
        Assert.Contains("no pieces", Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.Parse([])).Message,
            StringComparison.Ordinal);
        Assert.Contains("type 5",
            Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.Parse([0x12, 2, 0x18, 5])).Message,
            StringComparison.Ordinal);
        Assert.Contains("200", Assert.Throws<InvalidDataException>(() => SentencePieceTokenizer.Parse([0x0A, 200, 1, 0])).Message,
            StringComparison.Ordinal);
    }

    internal static byte[] Model(string name)
    {
        using var unpacking =
            new GZipStream(File.OpenRead(Path.Combine(Folder(name), "tokenizer.model.gz")), CompressionMode.Decompress);
        using var model = new MemoryStream();
        unpacking.CopyTo(model);
        return model.ToArray();
    }

    private static string Folder(string name) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
}
