using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class ScoringTests : IDisposable
{
    private readonly Gpt model;

    public ScoringTests()
    {
        Compute.Seed(11);
        model = new Gpt(GptConfig.Nano);
        foreach (var (_, parameter) in model.named_parameters()) parameter.requires_grad_(false).mul_(3);   // less even
        model.eval();
    }

    public void Dispose() => model.Dispose();

    [Fact]
    public void The_log_probability_of_a_continuation_is_the_sum_of_its_tokens()
    {
        var pairs = new (IReadOnlyList<long>, IReadOnlyList<long>)[]
            { ([1, 2, 3], [4, 5]), ([7], [8, 9, 10, 11]), ([1, 2, 3, 4, 5, 6, 7], [8]), ([7], [1]) };
        foreach (var batchSize in new[] { 1, 3, 8 })
        {
            var scores = model.Score(pairs, batchSize);
            for (var pair = 0; pair < pairs.Length; pair++)
            {
                var (context, continuation) = pairs[pair];
                Assert.Equal(StepByStep(context, continuation), scores[pair].LogProbabilities, (a, b) => Math.Abs(a - b) < 1e-5);
            }
        }
    }

    [Fact]
    public void The_probabilities_of_all_continuations_sum_to_one()
    {
        var all = Enumerable.Range(0, 65).Select(id => ((IReadOnlyList<long>)[3, 4], (IReadOnlyList<long>)[id])).ToList();
        var scores = model.Score(all);
        Assert.Equal(1, scores.Sum(score => Math.Exp(score.LogProbability)), 1e-5);
        Assert.Equal(1, scores.Count(score => score.IsGreedy));
        var best = scores.Select((score, id) => (score.LogProbability, id)).Max().id;
        Assert.True(scores[best].IsGreedy);
    }

    [Fact]
    public void A_long_context_loses_its_first_tokens()
    {
        IReadOnlyList<long> context = [.. Enumerable.Range(0, 50).Select(at => (long)at)];
        var score = model.Score([(context, [9, 8])]).Single();
        // 33 tokens are at most 32 inputs and the last target
        Assert.Equal(model.Score([([.. context.TakeLast(31)], [9, 8])]).Single().LogProbability, score.LogProbability, 1e-6);
    }

    /// <summary>The windows for ten tokens, four inputs each, as lm-evaluation-harness documents them.</summary>
    [Fact]
    public void Windows_of_full_stride_score_each_token_once_with_the_most_context()
    {
        var windows = ScoredWindow.Rolling([99, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4, 4).ToList();
        Assert.Equal([[99, 0, 1, 2], [3, 4, 5, 6], [5, 6, 7, 8]], windows.Select(window => window.Input));
        Assert.Equal([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]], windows.Select(window => window.Targets));
    }

    [Theory]
    [InlineData(32, 32)]
    [InlineData(32, 7)]
    [InlineData(10, 1)]
    [InlineData(10, 10)]
    public void Each_token_is_scored_once_with_as_much_context_as_fits(int window, int stride)
    {
        long[] text = [.. Enumerable.Range(0, 77).Select(at => (long)(at * 37 % 65))];
        var scores = model.ScoreLong(text, prefix: 64, window: window, stride: stride).LogProbabilities;
        Assert.Equal(text.Length, scores.Count);
        long[] whole = [64, .. text];
        for (var at = 1; at < whole.Length; at++)
        {
            // the window whose targets hold this token
            var end = at <= window ? Math.Min(whole.Length, 1 + window)
                : Math.Min(whole.Length, 1 + window + ((at - 1 - window) / stride + 1) * stride);
            var start = Math.Max(0, end - 1 - window);
            Assert.Equal(StepByStep(whole[start..at], [whole[at]])[0], scores[at - 1], 1e-5);
        }
        Assert.Equal(text.Length - 1, model.ScoreLong(text, window: window, stride: stride).LogProbabilities.Count);
    }

    [Fact]
    public void A_short_text_is_one_window()
    {
        Assert.Equal(StepByStep([1], [2, 3]), model.ScoreLong([1, 2, 3]).LogProbabilities, (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Empty(model.ScoreLong([1]).LogProbabilities);
        Assert.Empty(model.ScoreLong([]).LogProbabilities);
    }

    [Fact]
    public void A_model_that_only_knows_the_next_token_gives_the_same()
    {
        var plain = new NextOnly(model);
        using var tokens = tensor(new long[,] { { 1, 2, 3, 4 }, { 4, 3, 2, 1 } });
        using var expected = ((ILanguageModel)model).LogitsFrom(tokens, 1);
        using var actual = ((ILanguageModel)plain).LogitsFrom(tokens, 1);
        Golden.Near.Check("logits", expected, actual, 1e-5);
    }

    [Fact]
    public void Nothing_stays_and_bad_input_is_named()
    {
        _ = model.Score([([1], [2])]);
        var before = LiveTensors.Count;
        _ = model.Score([([1], [2]), ([1, 2, 3], [4])], 1);
        _ = model.ScoreLong([1, 2, 3, 4, 5], window: 2);
        Assert.Equal(before, LiveTensors.Count);

        Assert.Contains("Pair 1", Assert.Throws<ArgumentException>(() => model.Score([([1], [2]), ([], [2])])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.Score([([1], [])]));
        Assert.Throws<ArgumentException>(() => model.Score([([1], [65])]));
        Assert.Throws<ArgumentException>(() => model.Score([([1], [.. Enumerable.Repeat(1L, 33)])]));
        Assert.Throws<ArgumentException>(() => model.Score([([1], [2])], 0));
        Assert.Throws<ArgumentException>(() => model.ScoreLong([1, 2], window: 33));
        Assert.Throws<ArgumentException>(() => model.ScoreLong([1, 2], window: 4, stride: 5));
        Assert.Throws<OperationCanceledException>(() =>
            model.Score([([1], [2])], cancellation: new CancellationToken(canceled: true)));
    }

    private List<double> StepByStep(IReadOnlyList<long> context, IReadOnlyList<long> continuation)
    {
        var found = new List<double>();
        for (var at = 0; at < continuation.Count; at++)
        {
            using var scope = NewDisposeScope();
            var logits = model.call(tensor((long[])[.. context, .. continuation.Take(at)]).unsqueeze(0))[0, ^1];
            found.Add(logits.to(float64).log_softmax(0)[continuation[at]].item<double>());
        }
        return found;
    }

    private sealed class NextOnly(ILanguageModel inner) : ILanguageModel
    {
        public int VocabularySize => inner.VocabularySize;

        public int ContextLength => inner.ContextLength;

        public nn.Module Network => inner.Network;

        public Tensor NextLogits(Tensor tokens, KeyValueCache cache, Tensor? attentionMask = null) =>
            inner.NextLogits(tokens, cache, attentionMask);
    }
}
