using ResearchKit.Models;

namespace ResearchKit.Tests.Models;

public sealed class TokenTrieTests
{
    private static readonly IReadOnlyList<long>[] Choices = [[1, 2], [1, 3, 4], [5], [1, 2, 6]];

    [Fact]
    public void Only_tokens_that_go_on_with_a_choice_are_allowed()
    {
        var trie = new TokenTrie(Choices, endToken: 0);
        Assert.Equal([1, 5], trie.Allowed([]).Order());
        Assert.Equal([2, 3], trie.Allowed([1]).Order());
        Assert.Equal([0, 6], trie.Allowed([1, 2]).Order());   // the end of one choice, or more of another
        Assert.Empty(trie.Allowed([5]));
        Assert.Empty(trie.Allowed([1, 2, 0]));
        Assert.Empty(trie.Allowed([9]));
        Assert.Equal([0, 0, 1, 3, 2], new int?[] { trie.ChoiceOf([1, 2]), trie.ChoiceOf([1, 2, 0]), trie.ChoiceOf([1, 3, 4]),
            trie.ChoiceOf([1, 2, 6]), trie.ChoiceOf([5]) });
        Assert.Null(trie.ChoiceOf([1, 3]));
        Assert.Null(trie.ChoiceOf([]));
    }

    [Fact]
    public void Generation_writes_one_of_the_choices()
    {
        using var model = new Gpt(GptConfig.Nano);
        var trie = new TokenTrie(Choices, endToken: 0);
        var found = new HashSet<int>();
        for (var seed = 0; seed < 60; seed++)
        {
            var options = new SamplingOptions { AllowedTokens = trie.Allowed, Seed = seed, MaximumTokens = 10 };
            var written = model.Generate([7, 8], options).Select(token => token.Id).ToList();
            found.Add(trie.ChoiceOf(written) ?? throw new InvalidOperationException(string.Join(' ', written)));
            Assert.Equal(written, model.GenerateBatch([[7, 8]], options)[0].Select(token => token.Id));
        }
        Assert.Equal([0, 1, 2, 3], found.Order());
    }

    [Fact]
    public void A_choice_whose_end_is_not_known_is_refused()
    {
        Assert.Contains("choice 0", Assert.Throws<ArgumentException>(() => new TokenTrie(Choices)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TokenTrie([]));
        Assert.Throws<ArgumentException>(() => new TokenTrie([[1], []]));
        Assert.Equal([1], new TokenTrie([[1], [1]]).Allowed([]));
    }
}
