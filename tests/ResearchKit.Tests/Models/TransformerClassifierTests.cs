using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>The classic first transformer on a task where the positions matter: at which of ten places is the mark?</summary>
[Trait("Tier", "slow")]
public sealed class TransformerClassifierTests
{
    [Theory]
    [InlineData(Positions.Sinusoidal)]
    [InlineData(Positions.Learned)]
    [InlineData(Positions.Random)]
    public void With_positions_it_learns_where_the_mark_is(Positions positions) => Assert.InRange(Accuracy(positions), 0.95, 1);

    [Fact]
    public void Without_positions_it_cannot_learn_where_the_mark_is() => Assert.InRange(Accuracy(Positions.None), 0, 0.2);

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new TransformerClassifier(TransformerClassifierConfig.First);
        Assert.Contains("100", Assert.Throws<ArgumentException>(() => model.call(randn(2, 5, 99))).Message,
            StringComparison.Ordinal);
        Assert.Contains("[5, 100]", Assert.Throws<ArgumentException>(() => model.call(randn(5, 100))).Message,
            StringComparison.Ordinal);
        Assert.Contains("512", Assert.Throws<ArgumentException>(() => model.call(randn(1, 513, 100))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TransformerClassifier(TransformerClassifierConfig.First with { Heads = 7 }));
        Assert.Throws<ArgumentException>(() =>
            new TransformerClassifier(TransformerClassifierConfig.First with { Positions = Positions.Rotary }));
    }

    private static double Accuracy(Positions positions)
    {
        Compute.Seed(1);
        using var scope = NewDisposeScope();
        using var model = new TransformerClassifier(TransformerClassifierConfig.First with
        {
            Positions = positions,
            Layers = 1,
            ModelWidth = 128,
            FeedForwardWidth = 256
        });
        var mark = randn(100);
        var (inputs, targets) = Examples(mark, 2048);
        var options = new TrainerOptions { Steps = 100, LearningRate = 2e-3, WarmupSteps = 10, EvaluateEvery = null };
        using (var trainer = new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TensorExamples(inputs, targets), 64),
            options))
            foreach (var _ in trainer.Run()) { }

        model.eval();
        var (unseen, places) = Examples(mark, 500);
        return model.call(unseen).argmax(1).eq(places).to(float32).mean().item<float>();
    }

    /// <summary>Ten random vectors, one of which is the mark; the class is its place.</summary>
    private static (Tensor Inputs, Tensor Targets) Examples(Tensor mark, int count)
    {
        var places = randint(0, 10, [count], int64);
        var inputs = randn(count, 10, 100);
        inputs[arange(count), places] = mark;
        return (inputs, places);
    }
}
