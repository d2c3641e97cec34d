using CsCheck;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class BeamSearchTests : IDisposable
{
    private const int Vocabulary = 4, Stop = 3, Longest = 4;
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Llama model;

    public BeamSearchTests()
    {
        random.manual_seed(3);
        model = new Llama(LlamaConfig.Nano with { VocabularySize = Vocabulary });
        using (no_grad()) model.state_dict()["lm_head.weight"].mul_(100);   // a model with opinions
    }

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.6)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(-1)]
    public void With_enough_beams_the_best_of_all_texts_is_found(double lengthPenalty)
    {
        var all = Texts([]).Select(text => (text, Probability: LogProbability([1, 2], text))).ToList();
        var best = all.MaxBy(pair => pair.Probability / Math.Pow(pair.text.Count, lengthPenalty));
        var found = model.SearchBeams([1, 2],
            new BeamOptions { Beams = 81, MaximumTokens = Longest, StopToken = Stop, LengthPenalty = lengthPenalty });
        Assert.Equal(best.text, found[0].Tokens);
        Assert.Equal(best.Probability, found[0].LogProbability, 1e-3);
        Assert.Equal(found.OrderByDescending(text => text.Score), found);
        Assert.Equal(81, found.Select(text => string.Join(' ', text.Tokens)).Distinct().Count());
    }

    [Fact]
    public void Each_log_probability_equals_that_of_the_model() =>
        Gen.Select(Gen.Long[0, Vocabulary - 1].Array[1, 5], Gen.Int[1, 5], Gen.Bool).Sample((prompt, beams, stops) =>
        {
            using var inner = NewDisposeScope();
            var found = model.SearchBeams(prompt,
                new BeamOptions { Beams = beams, MaximumTokens = 6, StopToken = stops ? Stop : null });
            Assert.InRange(found.Count, 1, beams);
            foreach (var text in found)
            {
                Assert.Equal(LogProbability(prompt, text.Tokens), text.LogProbability, 1e-3);
                Assert.True(text.Tokens.Count == 6 || (stops && text.Tokens[^1] == Stop));
            }
        }, iter: 20, threads: 1);

    [Fact]
    public void One_beam_equals_greedy_generation()
    {
        var greedy = model.Generate([2], SamplingOptions.Greedy with { MaximumTokens = 8 }).Select(token => token.Id);
        Assert.Equal(greedy, model.SearchBeams([2], new BeamOptions { Beams = 1, MaximumTokens = 8 }).Single().Tokens);
    }

    [Fact]
    public void With_penalties_the_best_of_all_texts_is_found()
    {
        var best = Texts([]).Max(text => LogProbability([1, 2], text, repetition: 1.7, presence: 0.8));
        var found = model.SearchBeams([1, 2], new BeamOptions
        {
            Beams = 81,
            MaximumTokens = Longest,
            StopToken = Stop,
            LengthPenalty = 0,
            RepetitionPenalty = 1.7,
            PresencePenalty = 0.8,
        });
        Assert.Equal(best, found[0].LogProbability, 1e-3);
        Assert.Equal(best, LogProbability([1, 2], found[0].Tokens, repetition: 1.7, presence: 0.8), 1e-3);
    }

    [Fact]
    public void Each_stop_token_ends_a_text_but_not_before_the_minimum_length()
    {
        var found = model.SearchBeams([1], new BeamOptions
        {
            Beams = 200,
            MaximumTokens = 4,
            MinimumTokens = 2,
            StopTokens = [0, Stop],
        });
        Assert.All(found, text => Assert.All(text.Tokens.SkipLast(1), token => Assert.InRange(token, 1, 2)));
        Assert.All(found, text => Assert.InRange(text.Tokens.Count, 3, 4));
        Assert.Equal([0L, Stop], found.Where(text => text.Tokens.Count == 3).Select(text => text.Tokens[^1]).Distinct().Order());
    }

    [Fact]
    public void A_repeated_pair_is_excluded()
    {
        var found = model.SearchBeams([1, 2], new BeamOptions { MaximumTokens = 8, NoRepeatNgram = 2 });
        Assert.All(found, text =>
        {
            var all = new long[] { 1, 2 }.Concat(text.Tokens).ToList();
            var pairs = all.Zip(all.Skip(1)).ToList();
            Assert.Equal(pairs.Count, pairs.Distinct().Count());
        });
    }

    [Fact]
    public void Beam_search_leaks_no_tensor_and_restores_the_training_mode()
    {
        model.train();
        _ = model.SearchBeams([1], new BeamOptions { MaximumTokens = 3 });
        var before = LiveTensors.Count;
        _ = model.SearchBeams([1], new BeamOptions { MaximumTokens = 9 });
        Assert.Equal(before, LiveTensors.Count);
        Assert.True(model.training);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        foreach (var options in new BeamOptions[] { new() { Beams = 0 }, new() { MaximumTokens = 0 },
            new() { LengthPenalty = double.NaN }, new() { RepetitionPenalty = 0 }, new() { PresencePenalty = -1 },
            new() { MinimumTokens = -1 }, new() { NoRepeatNgram = 0 } })
            Assert.Throws<ArgumentException>(() => model.SearchBeams([1], options));
        Assert.Throws<ArgumentException>(() => model.SearchBeams([]));
    }

    /// <summary>Every text that ends in the stop token or is as long as allowed.</summary>
    private static IEnumerable<List<long>> Texts(List<long> beginning) =>
        beginning.Count == Longest || beginning.LastOrDefault(-1) == Stop
        ? [beginning] : Enumerable.Range(0, Vocabulary).SelectMany(token => Texts([.. beginning, token]));

    private double LogProbability(long[] prompt, IReadOnlyList<long> text, double repetition = 1, double presence = 0)
    {
        using var inner = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = model.call(tensor(prompt.Concat(text).ToArray()).unsqueeze(0))[0].to(float64).log_softmax(-1);
        return text.Select((token, i) => logits[prompt.Length + i - 1, token].item<double>()
            * (prompt.Concat(text.Take(i)).Contains(token) ? repetition : 1)
            - (text.Take(i).Contains(token) ? presence : 0)).Sum();
    }
}
