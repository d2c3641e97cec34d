using System.Text.Json;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

/// <summary>SentencePiece models of every type and option, against the ids and texts of SentencePiece.</summary>
public sealed class SentencePieceOptionsTests
{
    private static readonly Dictionary<string, JsonElement> Kinds = PretrainedTokenizerTests.Golden("sentencepiece-options");

    public static TheoryData<string> Names => new(Kinds.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_text_is_encoded_and_decoded_as_by_the_reference(string name)
    {
        var bytes = Kinds[name].GetProperty("model").GetBytesFromBase64();
        var tokenizer = SentencePieceTokenizer.Parse(bytes);
        var file = Path.GetTempFileName();
        tokenizer.Save(file);
        var again = SentencePieceTokenizer.Parse(File.ReadAllBytes(file));
        File.Delete(file);
        foreach (var example in Kinds[name].GetProperty("cases").EnumerateArray())
        {
            var text = example.GetProperty("text").GetString()!;
            var ids = PretrainedTokenizerTests.Ids(example, "ids");
            PretrainedTokenizerTests.Same(text, ids, tokenizer.Encode(text));
            PretrainedTokenizerTests.Same(text, ids, again.Encode(text));
            Assert.Equal(example.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }
    }
}
