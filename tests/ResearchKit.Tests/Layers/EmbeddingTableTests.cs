using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class EmbeddingTableTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void Output_and_gradient_equal_those_of_TorchSharp_Embedding(int? padding)
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingTable(5, 3, padding);
        using var embedding = nn.Embedding(5, 3, padding);
        using (no_grad()) embedding.weight!.copy_(table.weight);
        var (tokens, factors) = (tensor(new long[] { 0, 2, 2, 4, 4, 4 }).view(2, 3), randn(2, 3, 3));
        Near.Check("rows", embedding.call(tokens), table.call(tokens), 0);
        (embedding.call(tokens) * factors).sum().backward();
        (table.call(tokens) * factors).sum().backward();
        Near.Check("gradient", embedding.weight!.grad!, table.weight.grad!, 1e-6);
        if (padding is { } row) Assert.Equal(0, table.weight[row].abs().sum().item<float>());
    }

    [Fact]
    public void Indices_out_of_range_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("5 rows", Assert.Throws<ArgumentException>(() => new EmbeddingTable(5, 3, 5)).Message,
            StringComparison.Ordinal);
        using var table = new EmbeddingTable(5, 3);
        Assert.ThrowsAny<Exception>(() => table.call(tensor(new long[] { 5 })));
    }
}
