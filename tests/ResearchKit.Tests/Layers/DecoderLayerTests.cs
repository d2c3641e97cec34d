using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class DecoderLayerTests
{
    [Theory]
    [InlineData("tdec-post-a", 32, 4, 64, Activation.Relu, false, 1e-5)]
    [InlineData("tdec-pre-b", 24, 2, 48, Activation.Gelu, true, 0.01)]
    public void It_equals_the_reference(string name, int width, int heads, int feedForward, Activation activation, bool normFirst,
        double epsilon)
    {
        using var scope = NewDisposeScope();
        using var golden = new GoldenCase(name);
        using var layer = golden.Fill(new DecoderLayer(width, heads, feedForward, 0.1, activation, normFirst, epsilon));
        Tensor? Given(string input) => golden.Has(input) ? golden[input] : null;
        var mask = new AttentionMask { Padding = Given("in.key_padding_mask"), ScoreBias = Given("in.mask") };
        var memoryMask = new AttentionMask { Padding = Given("in.memory_key_padding_mask") };
        Tensor Output() => layer.Decode(golden["in.x"], golden["in.memory"], mask, memoryMask);

        var output = Output();
        golden.Check("out.output", output);
        golden.CheckLoss(layer, output.square().mean() + output[.., .., 0].mean());

        using var cache = ActivationCache.Record(layer, hook => hook.EndsWith("hook_pattern", StringComparison.Ordinal));
        golden.Check("out.output", Output());
        golden.Check("out.self_attention", cache["self_attn.hook_pattern"]);
        Assert.Equal([golden["in.x"].shape[0], heads, golden["in.x"].shape[1], golden["in.memory"].shape[1]],
            cache["multihead_attn.hook_pattern"].shape);
    }

    [Fact]
    public void The_future_cannot_change_the_past_and_the_order_of_the_memory_does_not_matter()
    {
        using var scope = NewDisposeScope();
        using var layer = new DecoderLayer(12, 3, 24);
        layer.eval();
        var (x, memory) = (randn(2, 5, 12), randn(2, 4, 12));
        var edited = x.clone();
        edited[.., ^1] = zeros(12);
        Near.Check("all but the last", layer.call(x, memory)[.., ..^1], layer.call(edited, memory)[.., ..^1], 1e-5);
        Near.Check("other order", layer.call(x, memory), layer.call(x, memory.flip(1)), 1e-5);
    }

    [Fact]
    public void Cross_attention_to_the_same_input_equals_self_attention()
    {
        using var scope = NewDisposeScope();
        using var attention = new MultiHeadAttention(12, 3);
        var x = randn(2, 5, 12);
        Near.Check("mixed", attention.call(x), attention.Attend(x, x, AttentionMask.None), 1e-5);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        using var layer = new DecoderLayer(12, 3, 24);
        foreach (var memory in new[] { randn(3, 4, 12), randn(2, 4, 11) })
            Assert.Contains("[2, 5, 12]", Assert.Throws<ArgumentException>(() => layer.call(randn(2, 5, 12), memory)).Message,
                StringComparison.Ordinal);
    }
}
