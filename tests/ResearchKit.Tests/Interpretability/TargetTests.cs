using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class TargetTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Tensor logits = randn([4, 3, 5], float64);

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_difference_of_logits_is_the_difference_of_log_probabilities()
    {
        var difference = Target.Difference(1, 2, position: 0).Values(logits);
        var first = Target.LogProbability(1, position: 0).Values(logits);
        var second = Target.LogProbability(2, position: 0).Values(logits);
        for (var row = 0; row < 4; row++) Assert.Equal(difference[row], first[row] - second[row], 1e-12);
    }

    [Fact]
    public void Choices_for_each_example_repeat_along_a_larger_batch()
    {
        var values = Target.Logit([3, 0], [-1, 1]).Values(logits);
        Assert.Equal([Number(0, 2, 3), Number(1, 1, 0), Number(2, 2, 3), Number(3, 1, 0)], values);
    }

    [Fact]
    public void The_divergence_from_the_same_run_is_zero_and_its_gradient_too()
    {
        var target = Target.KullbackLeibler(logits[..2], position: null);
        Assert.All(target.Values(logits)[..2], value => Assert.Equal(0, value, 1e-12));
        var leaf = logits[..2].clone().requires_grad_(true);
        target.Of(leaf).sum().backward();
        Assert.True(leaf.grad!.abs().max().item<double>() < 1e-12);
        Assert.All(target.Values(logits)[2..], value => Assert.True(value > 0));
    }

    [Fact]
    public void The_entropy_of_equal_logits_is_the_logarithm_of_their_number() =>
        Assert.Equal(Math.Log(5), Target.Entropy().Values(zeros(1, 3, 5))[0], 1e-6);

    [Fact]
    public void A_contrast_of_a_text_with_itself_is_zero()
    {
        var target = Target.Contrast(Target.LogProbability(2), logits);
        Assert.Equal([0, 0, 0, 0], target.Values(logits));
        Assert.Equal([0, 0, 0, 0], Target.Contrast(Target.Logit(1), Target.Logit(1)).Values(logits));
    }

    [Fact]
    public void A_classifier_has_no_positions()
    {
        Assert.Equal(logits[.., 0, 1].data<double>().ToArray(), Target.Logit(1).Values(logits[.., 0]));
        Fails("no positions", () => Target.Logit(1, position: 2).Values(logits[.., 0]));
    }

    [Fact]
    public void Wrong_targets_are_refused_in_one_sentence()
    {
        Fails("token 5; the model has 5", () => Target.Logit(5).Of(logits));
        Fails("position 3; the text has 3", () => Target.Logit(0, position: 3).Of(logits));
        Fails("3 tokens; got a batch of 4", () => Target.Logit([0, 1, 2], null).Of(logits));
        Fails("is NaN for example 1", () => Target.Logit(0).Values(where(logits.eq(logits[1, 2, 0]), double.NaN, logits)));
        Fails("returns [4, 3]", () => Target.From("mine", "", all => all.sum(-1)).Of(logits));
        Fails("Got logits [5]", () => Target.Logit(0).Of(logits[0, 0]));
        Fails("reference run has [4, 3, 5]", () => Target.KullbackLeibler(logits).Of(logits[.., 1..]));
    }

    private double Number(int row, int time, int token) => logits[row, time, token].item<double>();

    private static void Fails(string words, Action action) =>
        Assert.Contains(words, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
}
