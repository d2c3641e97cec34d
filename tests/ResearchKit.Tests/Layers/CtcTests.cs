using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>Against the definition: every path of a tiny case written out.</summary>
public sealed class CtcTests : IDisposable
{
    private const int Frames = 5, Classes = 3;
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(1, 2)]
    [InlineData(1, 1)]
    [InlineData(2, 1, 2)]
    [InlineData]
    public void The_loss_sums_the_probabilities_of_all_paths(params int[] text)
    {
        var logits = randn(1, Frames, Classes);
        var expected = -Math.Log(Texts(logits[0])[Key(text)]) / Math.Max(1, text.Length);
        var loss = Ctc.Loss(logits, tensor(new long[] { Frames }), Padded(text), tensor(new long[] { text.Length }));
        Assert.Equal(expected, loss.item<float>(), tolerance: 1e-4);
    }

    [Fact]
    public void The_loss_of_a_batch_with_unequal_lengths_is_the_mean_over_its_examples()
    {
        var logits = randn(2, Frames, Classes);
        var expected = (-Math.Log(Texts(logits[0])[Key([1, 2])]) / 2) - Math.Log(Texts(logits[1, ..3])[Key([2])]);
        var loss = Ctc.Loss(logits, tensor(new long[] { Frames, 3 }), tensor(new long[] { 1, 2, 2, 0 }).view(2, 2),
            tensor(new long[] { 2, 1 }));
        Assert.Equal(expected / 2, loss.item<float>(), tolerance: 1e-4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_wide_beam_finds_every_text_with_its_probability(int seed)
    {
        using var generator = new Generator((ulong)seed);
        var logits = randn([Frames, Classes], generator: generator) * 2;
        var texts = Texts(logits);
        var found = CtcBeamSearch.Decode(logits, width: 1000);
        Assert.Equal(texts.Keys.Order(), found.Select(hypothesis => Key(hypothesis.Labels)).Order());
        foreach (var hypothesis in found)
            Assert.Equal(texts[Key(hypothesis.Labels)], Math.Exp(hypothesis.LogProbability), tolerance: 1e-6);
        Assert.Equal(1, found.Sum(hypothesis => Math.Exp(hypothesis.LogProbability)), 6);
        Assert.Equal(texts.MaxBy(entry => entry.Value).Key, Key(found[0].Labels));
    }

    [Fact]
    public void Beam_search_finds_a_more_likely_text_than_the_greedy_path()
    {
        // Blank 0.6, a 0.4, twice: the likeliest path is blank-blank (0.36), but three paths say a (0.64).
        var logits = tensor(new[] { 0.6f, 0.4f, 0.6f, 0.4f }).view(2, 2).log();
        Assert.Empty(Ctc.Greedy(logits));
        var best = CtcBeamSearch.Decode(logits, width: 4)[0];
        Assert.Equal([1], best.Labels);
        Assert.Equal(0.64, Math.Exp(best.LogProbability), tolerance: 1e-6);
    }

    [Fact]
    public void Repeated_labels_are_merged_unless_a_blank_separates_them()
    {
        Assert.Equal([1, 2, 2, 1], Ctc.Collapse([0, 1, 1, 0, 2, 0, 2, 2, 1]));
        Assert.Equal([1, 2], Ctc.Greedy(tensor(new[] { 0f, 9, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9 }).view(4, 3)));
    }

    [Fact]
    public void A_head_learns_a_text_without_an_alignment()
    {
        manual_seed(1);
        var x = randn(1, 12, 6);
        using var layer = new Gru(new() { InputWidth = 6, HiddenWidth = 16 });
        using var head = nn.Linear(16, 5);
        using var optimizer = optim.Adam(layer.parameters().Concat(head.parameters()), 0.02);
        var (frames, text, length) =
            (tensor(new long[] { 12 }), tensor(new long[] { 3, 1, 1, 4 }).unsqueeze(0), tensor(new long[] { 4 }));
        for (var step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            Ctc.Loss(head.call(layer.call(x)), frames, text, length).backward();
            optimizer.step();
        }
        Assert.Equal([3, 1, 1, 4], Ctc.Greedy(head.call(layer.call(x))[0]));
    }

    [Fact]
    public void A_text_longer_than_its_frames_has_zero_loss_and_zero_gradient()
    {
        var logits = randn([1, 2, Classes], requires_grad: true);
        var loss = Ctc.Loss(logits, tensor(new long[] { 2 }), tensor(new long[] { 1, 2, 1 }).unsqueeze(0),
            tensor(new long[] { 3 }));
        loss.backward();
        Assert.Equal(0, loss.item<float>());
        Near.Check("gradient", zeros(1, 2, Classes), logits.grad!, 0);
    }

    [Fact]
    public void Invalid_inputs_are_refused()
    {
        var (logits, one) = (randn(1, Frames, Classes), tensor(new long[] { 1 }));
        Assert.Contains("label 3", Refused(() => Ctc.Loss(logits, one, Padded([3]), one)), StringComparison.Ordinal);
        Assert.Contains("label 0", Refused(() => Ctc.Loss(logits, one, Padded([0]), one)), StringComparison.Ordinal);
        Assert.Contains("9; expected 1 to 5", Refused(() => Ctc.Loss(logits, tensor(new long[] { 9 }), Padded([1]), one)),
            StringComparison.Ordinal);
        Assert.Contains("2 texts", Refused(() => Ctc.Loss(logits, one, zeros([2, 1], int64), one)), StringComparison.Ordinal);
        Assert.Contains("beam width is 0", Refused(() => CtcBeamSearch.Decode(logits[0], 0)), StringComparison.Ordinal);
        Assert.Contains("[1, 5, 3]", Refused(() => Ctc.Greedy(logits)), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    /// <summary>Probability of each text: all paths, one by one.</summary>
    private static Dictionary<string, double> Texts(Tensor logits)
    {
        var p = logits.to(float64).softmax(-1).data<double>().ToArray();
        var (frames, texts) = ((int)logits.shape[0], new Dictionary<string, double>());
        for (var number = 0; number < Math.Pow(Classes, frames); number++)
        {
            var path = Enumerable.Range(0, frames).Select(frame => number / (int)Math.Pow(Classes, frame) % Classes).ToList();
            var key = Key(Ctc.Collapse(path));
            texts[key] = texts.GetValueOrDefault(key) + path.Select((label, frame) => p[(frame * Classes) + label])
                .Aggregate((a, b) => a * b);
        }
        return texts;
    }

    private static string Key(IEnumerable<int> labels) => string.Join(" ", labels);

    private static Tensor Padded(int[] text) => tensor(text.Select(label => (long)label).Append(0).ToArray()).unsqueeze(0);
}
