using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>Rules for the next token, against values computed by hand.</summary>
public sealed class SamplingRulesTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Tensor logits = tensor(new[] { 2f, -1f, 0.5f, 4f });

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_repetition_penalty_divides_positive_and_multiplies_negative_logits_of_all_tokens_so_far() =>
        // tokens 0 and 1 of the prompt, token 3 of the new text, twice: penalized once
        Assert.Equal([1f, -2f, 0.5f, 2f], Scores(new SamplingOptions { RepetitionPenalty = 2 }, [0, 1, 1], [3, 3]));

    [Fact]
    public void Frequency_and_presence_penalties_count_only_the_new_text() =>
        // token 3: 4 - 3 x 0.5 - 0.25; token 2: 0.5 - 0.5 - 0.25
        Assert.Equal([2f, -1f, -0.25f, 2.25f],
            Scores(new SamplingOptions { FrequencyPenalty = 0.5, PresencePenalty = 0.25 }, [0, 1], [3, 2, 3, 3]));

    [Fact]
    public void The_penalties_act_one_after_the_other() =>
        // 4 / 2 - 1
        Assert.Equal([2f, -1f, 0.5f, 1f], Scores(new SamplingOptions { RepetitionPenalty = 2, PresencePenalty = 1 }, [], [3]));

    [Fact]
    public void Without_a_penalty_no_bit_changes()
    {
        var options = new SamplingOptions
        {
            RepetitionPenalty = 1,
            FrequencyPenalty = 0,
            PresencePenalty = 0,
            MinP = 0,
            TypicalP = 1,
            TopP = 1
        };
        Assert.Same(logits, LogitRules.Apply(options, logits, History([0, 1, 2, 3], [3, 3])));
        using var sampler = new Sampler(options, CPU);
        Assert.Same(logits, sampler.Truncate(logits));
    }

    [Theory]
    [InlineData(1, new long[] { 1, 2, 0 }, new long[] { 0, 1, 2 })]         // no token twice
    [InlineData(2, new long[] { 3, 1, 2, 3 }, new long[] { 1 })]            // 3 1 occurred
    [InlineData(2, new long[] { 3, 3 }, new long[] { 3 })]
    [InlineData(3, new long[] { 1, 2, 3, 0, 1, 2 }, new long[] { 3 })]      // 1 2 3 occurred
    [InlineData(3, new long[] { 1, 2, 3, 1, 2, 0, 1, 2 }, new long[] { 0, 3 })]
    [InlineData(3, new long[] { 1 }, new long[0])]
    [InlineData(4, new long[] { 1, 2, 1 }, new long[0])]
    public void An_ngram_may_occur_only_once(int length, long[] tokens, long[] excluded)
    {
        Assert.Equal(excluded, new TokenHistory(tokens).Repeating(length).Order());
        for (var split = 0; split <= tokens.Length; split++)   // prompt and new text count alike
            Assert.Equal(excluded, Excluded(Scores(new SamplingOptions { NoRepeatNgram = length }, tokens[..split],
                tokens[split..])));
    }

    [Fact]
    public void Stop_tokens_are_excluded_before_the_minimum_length()
    {
        var options = new SamplingOptions { MinimumTokens = 2, StopTokens = [3, 1] };
        Assert.Equal([1, 3], Excluded(Scores(options, [0, 0, 0], [0])));
        Assert.Empty(Excluded(Scores(options, [0], [0, 0])));
    }

    [Fact]
    public void Only_allowed_tokens_remain()
    {
        var options = new SamplingOptions { AllowedTokens = written => written.Count == 0 ? [1, 2] : null };
        Assert.Equal([0, 3], Excluded(Scores(options, [3], [])));
        Assert.Empty(Excluded(Scores(options, [3], [2])));
    }

    [Fact]
    public void Options_that_leave_no_token_are_an_error_that_names_them()
    {
        var error = Assert.Throws<InvalidOperationException>(() =>
            Scores(new SamplingOptions { NoRepeatNgram = 1 }, [0, 1], [2, 3]));
        Assert.Contains("NoRepeatNgram", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Probabilities 0.5, 0.25, 0.15 and 0.1.</summary>
    [Theory]
    [InlineData(0.5, new[] { 0, 1 })]      // at least 0.25; the limit itself stays
    [InlineData(0.51, new[] { 0 })]
    [InlineData(0.29, new[] { 0, 1, 2 })]
    [InlineData(0.19, new[] { 0, 1, 2, 3 })]
    [InlineData(1.0, new[] { 0 })]
    public void Min_p_keeps_tokens_that_are_that_share_of_the_likeliest(double share, int[] kept) =>
        Assert.Equal(kept, Kept(new SamplingOptions { MinP = share }, 0.5, 0.25, 0.15, 0.1));

    /// <summary>
    /// Probabilities 0.6, 0.2, 0.15 and 0.05: their entropy is 1.0627, their surprises are 0.5108, 1.6094, 1.8971 and 2.9957,
    /// so that the order is 1 (0.5467 away), 0 (0.5519), 2 (0.8344), 3 (1.9330).
    /// </summary>
    [Theory]
    [InlineData(0.1, new[] { 1 })]
    [InlineData(0.5, new[] { 0, 1 })]
    [InlineData(0.85, new[] { 0, 1, 2 })]
    [InlineData(0.99, new[] { 0, 1, 2, 3 })]
    public void Typical_p_keeps_the_tokens_nearest_to_the_entropy(double mass, int[] kept) =>
        Assert.Equal(kept, Kept(new SamplingOptions { TypicalP = mass }, 0.6, 0.2, 0.15, 0.05));

    [Fact]
    public void Top_p_sees_only_what_top_k_left()
    {
        // of 0.4, 0.3, 0.2 and 0.1 the first two; they are 4/7 and 3/7 then, and the first alone reaches 0.5
        Assert.Equal([0], Kept(new SamplingOptions { TopK = 2, TopP = 0.5 }, 0.4, 0.3, 0.2, 0.1));
        Assert.Equal([0, 1], Kept(new SamplingOptions { TopK = null, TopP = 0.5 }, 0.4, 0.3, 0.2, 0.1));
    }

    [Fact]
    public void Temperature_acts_before_the_truncation()
    {
        // 0.8 and 0.2 are 16/17 and 1/17 at temperature 0.5
        var options = new SamplingOptions { MinP = 0.1, Temperature = 0.5 };
        using var sampler = new Sampler(options, CPU);
        var two = tensor(new[] { 0.8f, 0.2f }).log();
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Equal(0, sampler.Choose(two).Id));
    }

    [Theory]
    [InlineData(1e-40)]
    [InlineData(1e-6)]
    public void A_tiny_temperature_is_greedy(double temperature)
    {
        using var model = new Gpt(GptConfig.Nano);
        var greedy = SamplingOptions.Greedy with { MaximumTokens = 12, RepetitionPenalty = 1.3 };
        Assert.Equal(model.Generate([1, 2], greedy).Select(token => token.Id),
            model.Generate([1, 2], greedy with { Temperature = temperature, TopP = 0.9 }).Select(token => token.Id));
    }

    [Fact]
    public void The_probability_of_a_token_is_that_of_the_model_without_rules()
    {
        using var sampler = new Sampler(SamplingOptions.Greedy with { RepetitionPenalty = 100 }, CPU);
        var token = sampler.Choose(logits, History([3], []));
        Assert.Equal(0, token.Id);
        Assert.Equal(logits.softmax(0)[0].item<float>(), token.Probability, 6);
    }

    [Fact]
    public void Any_of_several_stop_tokens_ends_a_text_and_a_row()
    {
        using var model = new Gpt(GptConfig.Nano);
        var free = model.Generate([1], SamplingOptions.Greedy with { MaximumTokens = 8 }).Select(token => token.Id).ToList();
        var options = SamplingOptions.Greedy with { MaximumTokens = 8, StopTokens = [free[2], 64] };
        var length = free.IndexOf(free[2]) + 1;
        Assert.Equal(free.Take(length), model.Generate([1], options).Select(token => token.Id));
        Assert.Equal(free.Take(length), model.GenerateBatch([[1]], options)[0].Select(token => token.Id));
    }

    [Fact]
    public void Rules_make_a_whole_text_without_repetition()
    {
        using var model = new Gpt(GptConfig.Nano);
        var ids = model.Generate([1, 2, 3], SamplingOptions.Greedy with { MaximumTokens = 40, NoRepeatNgram = 2 })
            .Select(token => token.Id);
        long[] all = [1, 2, 3, .. ids];
        var pairs = all.Zip(all.Skip(1)).ToList();
        Assert.Equal(pairs.Distinct().Count(), pairs.Count);
    }

    [Fact]
    public void Options_out_of_range_and_stop_strings_without_a_tokenizer_are_refused()
    {
        using var model = new Gpt(GptConfig.Nano);
        foreach (var options in new SamplingOptions[] { new() { MinP = 1.5 }, new() { MinP = double.NaN }, new() { TypicalP = 0 },
            new() { RepetitionPenalty = 0 }, new() { RepetitionPenalty = double.NaN }, new() { PresencePenalty = double.NaN },
            new() { NoRepeatNgram = 0 }, new() { MinimumTokens = -1 }, new() { StopStrings = [""] },
                new() { StopStrings = ["a"] } })
        {
            Assert.Throws<ArgumentException>(() => model.Generate([1], options));
            Assert.Throws<ArgumentException>(() => model.GenerateBatch([[1]], options));
        }
        Assert.Contains("99", Assert.Throws<ArgumentException>(() =>
            model.Generate([1], new SamplingOptions { AllowedTokens = _ => [99] }).ToList()).Message, StringComparison.Ordinal);
    }

    private float[] Scores(SamplingOptions options, long[] prompt, long[] written) =>
        LogitRules.Apply(options, logits, History(prompt, written)).data<float>().ToArray();

    private static IEnumerable<long> Excluded(float[] scores) =>
        Enumerable.Range(0, scores.Length).Where(id => float.IsNegativeInfinity(scores[id])).Select(id => (long)id);

    private static IEnumerable<int> Kept(SamplingOptions options, params double[] probabilities)
    {
        using var sampler = new Sampler(options, CPU);
        var left = sampler.Truncate(tensor(probabilities, float32).log()).data<float>().ToArray();
        return Enumerable.Range(0, left.Length).Where(id => !float.IsNegativeInfinity(left[id]));
    }

    private static TokenHistory History(long[] prompt, long[] written)
    {
        var history = new TokenHistory(prompt);
        foreach (var token in written) history.Add(token);
        return history;
    }
}
