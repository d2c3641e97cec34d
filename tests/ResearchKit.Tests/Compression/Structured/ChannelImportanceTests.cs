using ResearchKit.Compression;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class ChannelImportanceTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano);

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Magnitude_is_the_norm_of_what_writes_and_reads()
    {
        var weights = model.state_dict();
        var expected = (weights["h.1.mlp.c_fc.weight"][.., 5].square().sum() + weights["h.1.mlp.c_fc.bias"][5].square()
            + weights["h.1.mlp.c_proj.weight"][5].square().sum()).sqrt().item<float>();
        Assert.Equal(expected, ChannelImportance.Magnitude(model)["h.1.mlp"][5], 1e-6);
    }

    [Fact]
    public void Taylor_is_the_gradient_along_a_gate_on_the_channel()
    {
        var tokens = randint(65, [2, 9], ScalarType.Int64);
        Losses.NextToken(model.call(tokens), tokens).backward();
        var score = ChannelImportance.Taylor(model)["h.0.mlp"][3];
        var (weight, bias) = (model.state_dict()["h.0.mlp.c_fc.weight"], model.state_dict()["h.0.mlp.c_fc.bias"]);
        var expected = ((weight * weight.grad!)[.., 3].sum() + (bias * bias.grad!)[3]).abs().item<float>();
        Assert.Equal(expected, score, 1e-8);
        using var batch = new Batch(tokens.clone(), tokens.clone());
        var over = ChannelImportance.Taylor(model, [batch], one => Losses.NextToken(model.call(one.Inputs), one.Targets));
        Assert.Equal(score, over["h.0.mlp"][3], 1e-8);
        using var fresh = new Gpt(GptConfig.Nano);
        Assert.Contains("has no gradient", Assert.Throws<ArgumentException>(() => ChannelImportance.Taylor(fresh)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void With_equal_activations_the_score_is_the_sum_of_magnitudes_by_channel()
    {
        using var calibration = Calibration.Watch(model);
        foreach (var moments in calibration.Moments.Values) moments.Add(ones(3, moments.Largest.shape[0]));
        var scores = ChannelImportance.Activations(model, calibration);
        var expected = model.state_dict()["h.0.mlp.c_proj.weight"].abs().sum(dim: 1);
        Assert.Equal(expected[7].item<float>(), scores["h.0.mlp"][7], 1e-5);
        Assert.DoesNotContain("layers", scores.Keys);
        using var other = new Gpt(GptConfig.Nano with { ModelWidth = 64 });
        Assert.Contains("expected at least one row of 64", Assert.Throws<ArgumentException>(() =>
            ChannelImportance.Activations(other, calibration)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_smallest_scores_go_by_rank_and_ties_by_number()
    {
        var scores = new Dictionary<string, double[]> { ["a"] = [3, 1, 1, 2, 1, 5, 6, 7] };
        Assert.Equal([1, 2], ChannelImportance.Smallest(scores, 0.25)["a"]);
        Assert.Equal([1, 2, 3, 4], ChannelImportance.Smallest(scores, 0.5)["a"]);
        Assert.Equal(7, ChannelImportance.Smallest(scores, 1)["a"].Count);
        Assert.Equal([1, 2, 3, 4], ChannelImportance.Smallest(scores, 0.6, multipleOf: 4)["a"]);
        Assert.Throws<ArgumentException>(() => ChannelImportance.Smallest(scores, 1.5));
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => ChannelImportance.Smallest(
            new Dictionary<string, double[]> { ["a"] = [1, double.NaN] }, 0.5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_and_random_scores_have_the_counts_of_their_groups()
    {
        var groups = ChannelGroups.Of(model);
        foreach (var scores in new[] { ChannelImportance.Magnitude(model), ChannelImportance.Random(model, 3) })
            Assert.All(groups, group => Assert.Equal(group.Count, scores[group.Name].Length));
        Assert.Equal(ChannelImportance.Random(model, 3)["width"], ChannelImportance.Random(model, 3)["width"]);
        Assert.All(ChannelImportance.Magnitude(model)["layers"], score => Assert.True(score > 0));
    }
}
