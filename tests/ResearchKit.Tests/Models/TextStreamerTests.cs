using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tests.Models;

public sealed class TextStreamerTests
{
    private const string Mixed = "Grüße, 世界! 👩‍👩‍👧 naïve — “x” \u200D end";

    [Fact]
    public void Every_part_is_whole_characters_and_all_parts_are_the_text()
    {
        foreach (var tokenizer in new ITokenizer[] { new ByteTokenizer(), ByteLevelBpeTokenizer.Gpt2(),
            new CharacterTokenizer(Mixed) })
        {
            var stream = new TextStreamer(tokenizer.Decode);
            var parts = tokenizer.Encode(Mixed).Select(stream.Add).Append(stream.Finish()).ToList();
            Assert.Equal(Mixed, string.Concat(parts));
            Assert.All(parts, part => Assert.DoesNotContain('\uFFFD', part));
        }
    }

    [Fact]
    public void A_character_comes_with_its_last_byte()
    {
        var stream = new TextStreamer(new ByteTokenizer().Decode);
        Assert.Equal(["", "", "€", "a"], new long[] { 0xE2, 0x82, 0xAC, 'a' }.Select(stream.Add));
    }

    [Fact]
    public void Bytes_that_never_become_a_character_are_passed_on_at_the_end()
    {
        var stream = new TextStreamer(new ByteTokenizer().Decode);
        var tokens = new long[] { 'a', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xE2, 0x82 };
        var text = string.Concat(tokens.Select(stream.Add)) + stream.Finish();
        Assert.Equal(new ByteTokenizer().Decode(tokens), text);
    }

    [Fact]
    public void The_space_of_the_first_word_follows_from_the_prompt()
    {
        var tokenizer = SentencePieceTokenizer.Parse(ResearchKit.Tests.Data.SentencePieceTests.Model("sentencepiece-bpe"));
        var prompt = tokenizer.Encode("the cat");
        var all = tokenizer.Encode("the cat and the dog");
        Assert.Equal(prompt, all[..prompt.Length]);
        var after = new TextStreamer(tokenizer.Decode, prompt);
        Assert.Equal(" and the dog", string.Concat(all[prompt.Length..].Select(after.Add)) + after.Finish());
        var alone = new TextStreamer(tokenizer.Decode);
        Assert.Equal("and the dog", string.Concat(all[prompt.Length..].Select(alone.Add)) + alone.Finish());
    }

    [Theory]
    [InlineData("one\nTwo", "one", "\nTwo")]
    [InlineData("ab</s>cd", "ab", "</s>")]
    [InlineData("ab</", "ab</", "</s>")]                  // the stop string never ends
    [InlineData("xababac", "x", "ababac")]                // the first try fails in the middle
    [InlineData("xabababac", "xab", "ababac")]
    [InlineData("stop later", "", "stop")]
    [InlineData("a€b", "a", "€")]
    public void A_stop_string_is_found_across_tokens_and_never_shown(string text, string expected, string stop)
    {
        var stream = new TextStreamer(new ByteTokenizer().Decode, stopStrings: ["never", stop]);
        var parts = new ByteTokenizer().Encode(text).Select(stream.Add).ToList();
        var shown = "";
        foreach (var part in parts)
        {
            shown += part;
            Assert.StartsWith(shown, expected, StringComparison.Ordinal);   // nothing is ever taken back
        }
        Assert.Equal(expected, shown + stream.Finish());
        Assert.Equal(text.Contains(stop, StringComparison.Ordinal), stream.IsStopped);
    }

    [Fact]
    public void The_first_stop_string_of_the_text_counts_also_within_one_token()
    {
        var stream = new TextStreamer(_ => "", stopStrings: ["b", "a"]);
        Assert.Equal("", stream.Add(1));
        var one = new TextStreamer(tokens => tokens.Count == 0 ? "" : "xxayyb", stopStrings: ["b", "a"]);
        Assert.Equal("xx", one.Add(1));
        Assert.True(one.IsStopped);
        Assert.Equal("", one.Add(2) + one.Finish());
    }

    [Fact]
    public void No_text_is_lost_where_a_token_changes_the_text_before_it()
    {
        // the second token makes another word of the first; only then does the text go on
        var stream = new TextStreamer(tokens => string.Join(' ', tokens) switch
        {
            "" => "",
            "1" => "ab\uFFFD",
            "1 2" => "axyz",
            _ => throw new InvalidOperationException(),
        });
        Assert.Equal("ab", stream.Add(1));
        Assert.Equal("", stream.Add(2));
        Assert.Equal("xyz", stream.Finish());
    }
}
