using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class RecurrentModelTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(RecurrentCell.Lstm, SequencePooling.Mean, true)]
    [InlineData(RecurrentCell.Gru, SequencePooling.Last, true)]
    [InlineData(RecurrentCell.Gru, SequencePooling.Last, false)]
    public void Padding_after_a_sequence_changes_no_class_logits(RecurrentCell cell, SequencePooling pooling, bool bidirectional)
    {
        using var model = Classifier(cell, pooling, bidirectional);
        var (x, lengths) = (randn(2, 6, 5), tensor(new long[] { 4, 6 }));
        var edited = x.clone();
        edited[0, 4..] = full([2, 5], 100f);
        Near.Check("edited", model.Classify(x, lengths), model.Classify(edited, lengths), 1e-6);
        Near.Check("alone", model.call(x[..1, ..4]), model.Classify(x, lengths)[..1], 1e-6);
        Near.Check("features, head", model.call(x), model.Head(model.Features(x)), 0);
    }

    [Fact]
    public void Last_pooling_takes_the_final_output_of_each_direction()
    {
        using var model = Classifier(RecurrentCell.Lstm, SequencePooling.Last, bidirectional: true);
        var (x, lengths) = (randn(1, 6, 5), tensor(new long[] { 4 }));
        var output = ((RecurrentLayer)model.named_children().First(child => child.name == "rnn").module).Read(x, lengths).Output;
        Near.Check("both ends", cat([output[0, 3, ..8], output[0, 0, 8..]], 0), model.Features(x, lengths)[0], 1e-6);
    }

    [Theory]
    [InlineData(RecurrentCell.Lstm)]
    [InlineData(RecurrentCell.Gru)]
    public void A_classifier_learns_one_batch(RecurrentCell cell)
    {
        manual_seed(1);
        using var model = Classifier(cell, SequencePooling.Mean, bidirectional: true);
        var (x, lengths, targets) =
            (randn(6, 8, 5), tensor(new long[] { 3, 8, 5, 6, 8, 4 }), tensor(new long[] { 0, 1, 2, 0, 1, 2 }));
        var (first, last) = Train(model, () => nn.functional.cross_entropy(model.Classify(x, lengths), targets));
        Assert.InRange(last, 0, first / 2);
    }

    [Theory]
    [InlineData(RecurrentCell.Lstm, false)]
    [InlineData(RecurrentCell.Gru, true)]
    public void A_language_model_learns_one_batch_and_continues_from_its_state(RecurrentCell cell, bool tied)
    {
        manual_seed(1);
        using var model = Language(cell, tied);
        var tokens = randint(0, 11, [2, 12], int64);
        var (first, last) = Train(model, () =>
            nn.functional.cross_entropy(model.call(tokens)[.., ..^1].reshape(-1, 11), tokens[.., 1..].reshape(-1)));
        Assert.InRange(last, 0, first / 2);

        model.eval();
        var (start, state) = model.Continue(tokens[.., ..5]);
        var (rest, _) = model.Continue(tokens[.., 5..], state);
        Near.Check("in two readings", model.call(tokens), cat([start, rest], 1), 1e-5);
        Near.Check("features, head", model.call(tokens), model.Head(model.Features(tokens)), 0);
    }

    [Fact]
    public void The_future_cannot_change_the_past_of_a_language_model()
    {
        using var model = Language(RecurrentCell.Lstm, tied: false);
        model.eval();
        var tokens = randint(1, 11, [2, 8], int64);
        var edited = tokens.clone();
        edited[.., ^1] = tensor(0L);
        Near.Check("all but the last", model.call(tokens)[.., ..^1], model.call(edited)[.., ..^1], 1e-6);
    }

    [Fact]
    public void With_a_tied_embedding_there_are_no_head_parameters()
    {
        using var tied = Language(RecurrentCell.Gru, tied: true);
        string[] expected = ["embedding.weight", "rnn.bias_hh_l0", "rnn.bias_ih_l0", "rnn.weight_hh_l0", "rnn.weight_ih_l0"];
        Assert.Equal(expected, tied.state_dict().Keys.Order(StringComparer.Ordinal));
        using var free = Language(RecurrentCell.Gru, tied: false);
        Assert.Equal(["head.bias", "head.weight"], free.state_dict().Keys.Except(expected).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_tensor_leaks()
    {
        using var model = Language(RecurrentCell.Lstm, tied: false);
        using var classifier = Classifier(RecurrentCell.Gru, SequencePooling.Last, bidirectional: true);
        var (tokens, x) = (randint(0, 11, [2, 6], int64), randn(2, 6, 5));
        model.call(tokens).Dispose();
        classifier.call(x).Dispose();
        var before = LiveTensors.Count;
        model.call(tokens).Dispose();
        classifier.call(x).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = Language(RecurrentCell.Lstm, tied: false);
        Assert.Contains("Float32", Refused(() => model.call(zeros(1, 4))), StringComparison.Ordinal);
        Assert.Contains("[4]", Refused(() => model.call(zeros([4], int64))), StringComparison.Ordinal);
        Assert.Contains("EmbeddingWidth 128",
            Refused(() => new RecurrentLanguageModel(new() { VocabularySize = 5, TiedEmbedding = true })),
            StringComparison.Ordinal);
        Assert.Contains("Classes is 0", Refused(() => new RecurrentClassifier(new() { Classes = 0 })), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static RecurrentClassifier Classifier(RecurrentCell cell, SequencePooling pooling, bool bidirectional) => new(new()
    {
        InputWidth = 5,
        Classes = 3,
        Cell = cell,
        HiddenWidth = 8,
        Layers = 2,
        Bidirectional = bidirectional,
        Pooling = pooling,
        Dropout = 0,
    });

    private static RecurrentLanguageModel Language(RecurrentCell cell, bool tied) => new(new()
    {
        VocabularySize = 11,
        Cell = cell,
        EmbeddingWidth = 16,
        HiddenWidth = 16,
        Layers = 1,
        Dropout = 0,
        TiedEmbedding = tied,
    });

    private static (double First, double Last) Train(nn.Module model, Func<Tensor> loss)
    {
        using var optimizer = new FusedAdamW(model.named_parameters(), new() { LearningRate = 0.02 });
        double Step()
        {
            using var step = NewDisposeScope();
            optimizer.ZeroGrad();
            var value = loss();
            value.backward();
            optimizer.Step();
            return value.item<float>();
        }
        var first = Step();
        return (first, Enumerable.Range(0, 60).Select(_ => Step()).ToList()[^1]);
    }
}
