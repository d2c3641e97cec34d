using ResearchKit.Compression;
using ResearchKit.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class BlockSparseDenseTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [SkippableFact]
    public void It_multiplies_as_the_dense_weight_does_for_any_number_of_rows()
    {
        using var weight = randn(512, 256);
        using var mask = PruningMask.Blocks(PruningScores.Magnitude(weight), 0.95);
        PruningMask.Apply(weight, mask);
        using var bias = randn(512);
        // which products there are depends on how libtorch was built
        var missing = Record.Exception(() => BlockSparseDense.Create(weight, bias, 16, mostRows: 8).Dispose());
        Skip.If(missing is NotSupportedException, missing?.Message);
        using var layer = BlockSparseDense.Create(weight, bias, 16, mostRows: 8);
        Assert.Equal(0.95, layer.Zeros, 0.01);
        foreach (var shape in new long[][] { [256], [1, 256], [3, 256], [2, 5, 256], [200, 256], [0, 256] })
        {
            using var each = NewDisposeScope();
            var x = randn(shape);
            var (expected, actual) = (nn.functional.linear(x, weight, bias), layer.call(x));
            Assert.Equal(expected.shape, actual.shape);
            if (x.numel() > 0) Assert.True((expected - actual).abs().max().item<float>() < 1e-3);
        }
        Assert.Throws<InvalidOperationException>(() => layer.call(randn([1, 256], requires_grad: true)));
        Assert.Throws<ArgumentException>(() => layer.call(randn(1, 255)));
        Assert.Empty(layer.state_dict());
        Assert.Contains("of the blocks zero", layer.ToString(), StringComparison.Ordinal);
        var before = LiveTensors.Count;
        layer.call(randn(1, 256)).Dispose();
        Assert.True(LiveTensors.Count <= before + 1);
    }

    [Fact]
    public void It_is_faster_for_one_row_or_refused_with_the_reason()
    {
        using var weight = zeros(256, 256);
        weight[..16, ..16] = randn(16, 16);
        try
        {
            using var layer = BlockSparseDense.Of(weight);
            Assert.All(layer.Gains.Values, gain => Assert.True(gain > 1));
            Assert.Equal(layer.Gains.Keys.Max(), layer.MostRows);
        }
        catch (NotSupportedException refusal)
        {
            Assert.Matches("too busy|packed dense one|no block-sparse product", refusal.Message);
        }
    }

    [Fact]
    public void Weights_without_enough_zero_blocks_are_refused_with_the_reason()
    {
        using var weight = randn(64, 64);
        Assert.Contains("0 % of the blocks are zero, so that a sparse product would be slower",
            Assert.Throws<NotSupportedException>(() => BlockSparseDense.Of(weight)).Message, StringComparison.Ordinal);
        Assert.Contains("has no blocks of 24 × 24", Assert.Throws<ArgumentException>(() => BlockSparseDense.Of(weight,
            block: 24)).Message,
            StringComparison.Ordinal);
        Assert.Contains("expected Float32", Assert.Throws<ArgumentException>(() =>
            BlockSparseDense.Of(weight.to(ScalarType.Float64))).Message,
            StringComparison.Ordinal);
    }
}
