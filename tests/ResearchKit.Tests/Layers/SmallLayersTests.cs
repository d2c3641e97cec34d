using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class SmallLayersTests
{
    [Fact]
    public void Rms_norm_equals_the_formula_by_hand()
    {
        using var scope = NewDisposeScope();
        using var norm = new RmsNorm(2, epsilon: 0);
        Near.Check("[3, 4] / √12.5", tensor(new[] { 3f, 4 }) / MathF.Sqrt(12.5f), norm.call(tensor(new[] { 3f, 4 })), 1e-6);
        norm.to(bfloat16);
        Assert.Equal(bfloat16, norm.call(ones([2], bfloat16)).dtype);
    }

    [Fact]
    public void Conv1D_is_a_linear_layer_with_a_transposed_weight()
    {
        using var scope = NewDisposeScope();
        using var layer = new Conv1D(3, 5);
        var x = randn(2, 4, 3);
        var parameters = layer.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        Near.Check("x W + b", nn.functional.linear(x, parameters["weight"].t(), parameters["bias"]), layer.call(x), 1e-6);
        Assert.Contains("expected 3 channels", Assert.Throws<ArgumentException>(() => layer.call(randn(2, 4))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Activation.Relu, 1, 1)]
    [InlineData(Activation.Relu, -1, 0)]
    [InlineData(Activation.Gelu, 1, 0.8413447)]
    [InlineData(Activation.GeluTanh, 1, 0.8411920)]
    [InlineData(Activation.Silu, 1, 0.7310586)]
    [InlineData(Activation.Tanh, 1, 0.7615942)]
    [InlineData(Activation.QuickGelu, 1, 0.8457958)]
    public void Activations_equal_their_formulas(Activation activation, float x, double expected)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected, activation.Apply(tensor(x)).item<float>(), 6);
    }

    [Fact]
    public void A_gated_mlp_equals_its_formula()
    {
        using var scope = NewDisposeScope();
        using var mlp = new GatedMlp(4, 6, Activation.Tanh);
        var x = randn(2, 3, 4);
        Tensor Layer(string name, Tensor input) => nn.functional.linear(input, mlp.state_dict()[$"{name}.weight"]);
        Near.Check("down(tanh(gate) · up)", Layer("down_proj", Layer("gate_proj", x).tanh() * Layer("up_proj", x)), mlp.call(x),
            1e-6);
    }

    [Fact]
    public void Permuting_the_heads_of_self_attention_permutes_the_output()
    {
        using var scope = NewDisposeScope();
        using var attention = new SelfAttention(6, 3);
        var x = randn(2, 5, 6);
        var before = attention.call(x);
        var order = tensor(new long[] { 2, 3, 4, 5, 0, 1 });   // heads of 2 channels: 1, 2, 0
        using (no_grad())
            foreach (var (_, parameter) in attention.named_parameters()) parameter.copy_(parameter.index_select(0, order));
        Near.Check("the same heads elsewhere", before.index_select(2, order), attention.call(x), 1e-6);
        Assert.Contains("4 heads", Assert.Throws<ArgumentException>(() => new SelfAttention(6, 4)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_hook_point_passes_the_gradient_through_unchanged()
    {
        using var scope = NewDisposeScope();
        var x = randn([3], requires_grad: true);
        using var point = new HookPoint();
        point.call(x).sum().backward();
        Near.Check("gradient", ones(3), x.grad!, 0);
    }
}
