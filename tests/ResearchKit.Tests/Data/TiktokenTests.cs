using System.Text;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class TiktokenTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tiktoken-").FullName;

    [Fact]
    public void Ranks_merge_the_lowest_first_and_from_the_left()
    {
        Write("tokenizer.model", "ab", "bc", "cd", "abcd", "hello");
        var tokenizer = Assert.IsType<PretrainedTokenizer>(PretrainedTokenizers.FromFolder(folder));
        Assert.Equal([259], tokenizer.Encode("abcd"));
        Assert.Equal([256, 'c'], tokenizer.Encode("abc"));
        Assert.Equal(['x', 257, 'd'], tokenizer.Encode("xbcd"));
        Assert.Equal([260], tokenizer.Encode("hello"));
        Assert.Equal(['h', 'e', 'l', 'l'], tokenizer.Encode("hell"));
        Assert.Equal("abcd héllo", tokenizer.Decode(tokenizer.Encode("abcd héllo")));
    }

    [Fact]
    public void Llama3s_special_tokens_follow_the_ranks()
    {
        Write("tokenizer.model", "hello");
        var tokenizer = (PretrainedTokenizer)PretrainedTokenizers.FromFolder(folder);
        Assert.Equal(257 + 256, tokenizer.VocabularySize);
        Assert.Equal([256, 257 + 9], tokenizer.Encode("hello<|eot_id|>"));
        Assert.Equal([257, 256], tokenizer.EncodeForModel("hello").Ids);
        Assert.Equal((257L, 258L), (tokenizer.Special.Beginning, tokenizer.Special.End));
        Assert.Equal("<|reserved_special_token_247|>", tokenizer.Token(257 + 255));
        Assert.Equal(256, TiktokenEncoding.Llama3().Special.Count);
        Assert.Equal(128_009, TiktokenEncoding.Llama3().Special["<|eot_id|>"]);
    }

    [Fact]
    public void Numbers_are_split_by_the_pattern_of_the_encoding()
    {
        Write("some.tiktoken", "12", "34", "1234");
        Assert.Equal([256, '3', '4'], PretrainedTokenizers.FromFolder(folder).Encode("1234"));
        var gpt2 = PretrainedTokenizers.FromTiktoken(Path.Combine(folder, "some.tiktoken"), TiktokenEncoding.R50kBase with
        {
            Special = new Dictionary<string, int> { ["<end>"] = 300 },
            End = "<end>",
        });
        Assert.Equal([258, 300], gpt2.Encode("1234<end>"));
        Assert.Equal(300, gpt2.Special.End);
    }

    [Theory]
    [InlineData("AA== 0\nAA= 1\n", "Line 2")]
    [InlineData("AA== 0\nAQ== 0\n", "Line 2")]
    [InlineData("AA== 0\nAQ== -1\n", "Line 2")]
    [InlineData("AA== 0\nAQ== 1\n", "lacks the byte")]
    public void A_malformed_file_is_named_as_a_tiktoken_file(string text, string said)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.model"), text);
        var error = Assert.Throws<InvalidDataException>(() => PretrainedTokenizers.FromFolder(folder));
        Assert.Contains("tiktoken file", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string file, params string[] tokens)
    {
        var bytes = Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Concat(tokens.Select(Encoding.UTF8.GetBytes));
        File.WriteAllText(Path.Combine(folder, file),
            string.Concat(bytes.Select((token, rank) => $"{Convert.ToBase64String(token)} {rank}\n")));
    }
}
