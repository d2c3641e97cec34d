using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class LossesTests
{
    [Fact]
    public void NextToken_compares_each_position_with_the_following_token()
    {
        using var scope = NewDisposeScope();
        var tokens = tensor(new long[] { 1, 2, 0, 1, 0, -100 }).view(2, 3);
        var logits = randn(2, 3, 4);
        var p = logits.log_softmax(-1);
        var expected = -(p[0, 0, 2] + p[0, 1, 0] + p[1, 0, 0]) / 3;   // the -100 does not count
        Near.Check("loss", expected, Losses.NextToken(logits, tokens), 1e-6);
        Assert.Throws<ArgumentException>(() => Losses.NextToken(logits, tokens[.., ..2]));
    }

    [Fact]
    public void Labels_selects_the_loss_by_the_dtype_and_shape_of_the_labels()
    {
        using var scope = NewDisposeScope();
        var logits = randn(3, 4);
        var classes = tensor(new long[] { 0, 3, 1 });
        Near.Check("classes", Losses.CrossEntropy(logits, classes), Losses.Labels(logits, classes), 0);
        var truths = tensor(new[] { 1f, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1 }).view(3, 4);
        var p = logits.sigmoid();
        Near.Check("truths", -((truths * p.log()) + ((1 - truths) * (1 - p).log())).mean(), Losses.Labels(logits, truths), 1e-6);
        var quantities = tensor(new[] { 1f, 2, 3 });
        var one = randn(3, 1);
        Near.Check("quantities", (one.squeeze(1) - quantities).square().mean(), Losses.Labels(one, quantities), 1e-6);
        Near.Check("whole quantities", (one.squeeze(1) - classes).square().mean(), Losses.Labels(one, classes), 1e-6);
        Assert.Contains("[3, 1]", Assert.Throws<ArgumentException>(() => Losses.Labels(one, quantities[..2])).Message,
            StringComparison.Ordinal);
    }
}
