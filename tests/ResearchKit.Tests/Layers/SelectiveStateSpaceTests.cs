using ResearchKit.Layers;
using static ResearchKit.Tests.Layers.Naive;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

[Trait("Tier", "slow")]
public sealed class SelectiveStateSpaceTests
{
    [Theory]
    [InlineData(4, 2, 4)]
    [InlineData(1, 1, 1)]
    [InlineData(16, 1, 3)]
    public void It_follows_its_formula(int state, int expansion, int kernel) =>
        NewerAttentionTests.Check(new SelectiveStateSpace(16, state, expansion, kernel), (layer, tokens) =>
        {
            var w = Weights(layer);
            double[] Column(string name) => [.. w(name).Select(row => row[0])];
            var inner = 16 * expansion;
            var parts = tokens.Select(token => Times(w("in_proj.weight"), token)).ToArray();
            var u = tokens.Select((_, t) => Enumerable.Range(0, inner).Select(i =>
                Silu(Column("conv1d.bias")[i] + Enumerable.Range(0, kernel)
                    .Sum(k => t - kernel + 1 + k < 0 ? 0 : w("conv1d.weight")[i][k] * parts[t - kernel + 1 + k][i]))).ToArray())
                    .ToArray();
            var memory = new double[inner, state];
            return [.. tokens.Select((_, t) =>
            {
                var made = Times(w("x_proj.weight"), u[t]);   // 1 number for Δ, then B and C
                var delta = Plus(Times(w("dt_proj.weight"), made[..1]), Column("dt_proj.bias"))
                    .Select(value => Math.Log(1 + Math.Exp(value))).ToArray();
                var y = new double[inner];
                for (var i = 0; i < inner; i++)
                {
                    for (var n = 0; n < state; n++)
                    {
                        memory[i, n] = (Math.Exp(-delta[i] * Math.Exp(w("A_log")[i][n])) * memory[i, n])
                            + (delta[i] * made[1 + n] * u[t][i]);
                        y[i] += made[1 + state + n] * memory[i, n];
                    }
                    y[i] = (y[i] + (Column("D")[i] * u[t][i])) * Silu(parts[t][inner + i]);
                }
                return Times(w("out_proj.weight"), y);
            })];
        });

    [Fact]
    public void It_is_initialized_as_published()
    {
        using var layer = new SelectiveStateSpace(64);
        Assert.Equal(
            ["A_log", "D", "conv1d.bias", "conv1d.weight", "dt_proj.bias", "dt_proj.weight", "in_proj.weight", "out_proj.weight",
                "x_proj.weight"],
            layer.state_dict().Keys.Order(StringComparer.Ordinal));
        using var scope = NewDisposeScope();
        var steps = nn.functional.softplus(layer.state_dict()["dt_proj.bias"], 1, 20);
        Assert.InRange(steps.min().item<float>(), 0.00099f, 0.01f);
        Assert.InRange(steps.max().item<float>(), 0.01f, 0.101f);
        Assert.True(allclose(layer.state_dict()["A_log"].exp()[5], arange(1, 17, float32)));
    }

    [Fact]
    public void A_size_below_one_is_refused() => Assert.Throws<ArgumentException>(() => new SelectiveStateSpace(16, state: 0));
}
