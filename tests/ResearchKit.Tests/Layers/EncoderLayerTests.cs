using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class EncoderLayerTests
{
    [Theory]
    [InlineData("tenc-post-a", 32, 4, 64, Activation.Relu, false, 1e-5)]
    [InlineData("tenc-pre-b", 24, 3, 70, Activation.Gelu, true, 0.01)]
    public void It_equals_the_reference(string name, int width, int heads, int feedForward, Activation activation, bool normFirst,
        double epsilon)
    {
        using var scope = NewDisposeScope();
        using var golden = new GoldenCase(name);
        using var layer = new EncoderLayer(width, heads, feedForward, 0.1, activation, normFirst, epsilon);
        StateDict.Load(layer, golden.Weights(), name);
        layer.eval();
        var mask = new AttentionMask
        {
            Padding = golden.Has("in.key_padding_mask") ? golden["in.key_padding_mask"] : null,
            ScoreBias = golden.Has("in.mask") ? golden["in.mask"] : null,
        };

        var output = layer.Encode(golden["in.x"], mask);
        golden.Check("out.output", output);
        var loss = output.square().mean() + output[.., .., 0].mean();
        golden.Check("out.loss", loss);
        loss.backward();
        foreach (var (parameter, value) in layer.named_parameters())
            if (golden.Has($"grad.{parameter}")) golden.Check($"grad.{parameter}", value.grad!);

        using var cache = ActivationCache.Record(layer, hook => hook.EndsWith("hook_pattern", StringComparison.Ordinal));
        golden.Check("out.output", layer.Encode(golden["in.x"], mask));
        golden.Check("out.self_attention", cache["self_attn.hook_pattern"]);
    }

    [Fact]
    public void Without_positions_the_layer_is_permutation_equivariant()
    {
        using var scope = NewDisposeScope();
        using var layer = new EncoderLayer(12, 3, 24);
        layer.eval();
        var (x, order) = (randn(2, 5, 12), tensor(new long[] { 3, 1, 4, 0, 2 }));
        Near.Check("permuted", layer.call(x).index_select(1, order), layer.call(x.index_select(1, order)), 1e-5);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("3 heads", Assert.Throws<ArgumentException>(() => new MultiHeadAttention(10, 3)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiHeadAttention(9, 3, dropout: 1));
        using var layer = new EncoderLayer(12, 3, 24);
        Assert.Contains("[5, 12]", Assert.Throws<ArgumentException>(() => layer.call(randn(5, 12))).Message,
            StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => layer.call(randn(1, 5, 11)));
    }
}
