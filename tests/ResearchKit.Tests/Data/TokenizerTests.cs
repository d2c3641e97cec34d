using CsCheck;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class TokenizerTests
{
    [Fact]
    public void Characters_survive_encoding_and_decoding()
    {
        var text = "Emma — “handsome” 🙂";
        var tokenizer = new CharacterTokenizer(text);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(text.EnumerateRunes().Distinct().Count(), tokenizer.VocabularySize);
        Assert.Equal([0, 1, 2], new CharacterTokenizer("cab", "b").Encode("abc"));
    }

    [Fact]
    public void Bytes_encode_and_decode_any_text()
    {
        var tokenizer = new ByteTokenizer();
        Gen.String.Where(text => text.EnumerateRunes().All(rune => rune.Value != 0xFFFD))
            .Sample(text => tokenizer.Decode(tokenizer.Encode(text)) == text);
        Assert.Equal([226, 130, 172], tokenizer.Encode("€"));
    }

    [Fact]
    public void Characters_and_ids_outside_the_vocabulary_are_refused()
    {
        var tokenizer = new CharacterTokenizer("abc");
        var message = Assert.Throws<ArgumentException>(() => tokenizer.Encode("abz")).Message;
        Assert.Contains("'z'", message, StringComparison.Ordinal);
        Assert.Contains("number 2", message, StringComparison.Ordinal);
        Assert.Contains("3", Assert.Throws<ArgumentException>(() => tokenizer.Decode([3])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => tokenizer.Decode([-1]));
        Assert.Throws<ArgumentException>(() => new ByteTokenizer().Decode([256]));
        Assert.Throws<ArgumentException>(() => new CharacterTokenizer(""));
    }
}
