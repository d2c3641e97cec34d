using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class LensTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano with { ModelWidth = 16 });
    private readonly Tensor tokens = randint(0, 65, [2, 6], int64);

    public LensTests()
    {
        using var noGrad = no_grad();   // larger weights, so that layers matter
        foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 2)) parameter.mul_(6);
        model.eval();
    }

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void After_the_last_layer_every_lens_gives_the_logits_of_the_model()
    {
        using var jacobian = JacobianLens.Fit(model, [tokens]);
        foreach (var lens in new ILens[] { new LogitLens(), new TunedLens(model), jacobian })
        {
            Near.Check(lens.Name, model.call(tokens), model.LensLogits(tokens, lens)[-1], 1e-6);
            foreach (var measure in Enum.GetValues<LensMeasure>())
            {
                var grid = model.ReadWith(tokens[..1], lens, measure, token => $"<{token}>");
                Assert.True(grid.Evidence!.Holds, grid.ToString());
                Assert.Equal((3, 6), (grid.Rows.Count, grid.Columns.Count));
                Assert.StartsWith("<", grid.Texts![0, 0], StringComparison.Ordinal);
            }
            Assert.Equal(0, model.LensDivergence(tokens, lens)[^1], 1e-6);
        }
    }

    [Fact]
    public void A_tuned_lens_begins_as_the_logit_lens_and_comes_closer_to_the_output()
    {
        using var lens = new TunedLens(model);
        Assert.True(model.LensLogits(tokens, lens).Equals(model.LensLogits(tokens)));
        lens.Train(model, [tokens], steps: 60, learningRate: 0.01);
        var (before, after) = (model.LensDivergence(tokens), model.LensDivergence(tokens, lens));
        for (var layer = 0; layer < 2; layer++) Assert.True(after[layer] < before[layer], $"{after[layer]} and {before[layer]}");
        Assert.All(model.parameters(), parameter => Assert.True(parameter.requires_grad && parameter.grad is null));
    }

    [Theory]
    [InlineData(JacobianPositions.Own)]
    [InlineData(JacobianPositions.OwnAndLater)]
    public void The_Jacobian_is_the_mean_of_finite_differences(JacobianPositions positions)
    {
        model.to(float64);
        var text = tokens[..1, ..3];
        using var lens = JacobianLens.Fit(model, [text], positions);
        using var clean = model.Record(text);
        var direction = randn(16, float64);
        var expected = zeros(16, float64);
        for (var at = 0; at < 3; at++)
        {
            using var edit = model.Edit("h.1.hook_resid_pre", Edit.Add(direction, 1e-6) with { Positions = [at] });
            using var moved = model.Record(text);
            var change = (moved["h.1.hook_resid_post"] - clean["h.1.hook_resid_post"])[0] / 1e-6;
            expected += positions == JacobianPositions.Own ? change[at] : change.sum(dim: 0);
        }
        Near.Check("Jacobian", expected / 3, lens.Jacobians[1].matmul(direction), 1e-3);
        using var both = JacobianLens.Fit(model, [tokens], positions);
        using var first = JacobianLens.Fit(model, [tokens[..1]], positions);
        using var second = JacobianLens.Fit(model, [tokens[1..]], positions);
        Near.Check("batch", (first.Jacobians + second.Jacobians) / 2, both.Jacobians, 1e-9);
    }

    [Fact]
    public void On_linear_residual_blocks_the_Jacobian_is_their_product_with_later_blocks_on_the_left()
    {
        var config = GptConfig.Nano with { ModelWidth = 8, Norms = false, Activation = ResearchKit.Layers.Activation.Relu };
        using var linear = new Gpt(config);
        linear.to(float64);
        var steps = new List<Tensor>();
        using (no_grad())
        {
            for (var layer = 0; layer < 2; layer++)   // no attention; a large bias keeps ReLU linear
            {
                linear.get_parameter($"h.{layer}.attn.c_proj.weight")!.zero_();
                linear.get_parameter($"h.{layer}.mlp.c_fc.bias")!.fill_(100);
                steps.Add(linear.get_parameter($"h.{layer}.mlp.c_fc.weight")!.matmul(
                    linear.get_parameter($"h.{layer}.mlp.c_proj.weight")!).t() + eye(8, dtype: float64));
            }
        }
        using var lens = JacobianLens.Fit(linear, [tokens]);
        Near.Check("product", steps[1].matmul(steps[0]), lens.Jacobians[0], 1e-10);
        Near.Check("identity", eye(8, dtype: float64), lens.Jacobians[2], 0);
    }

    [Fact]
    public void Models_without_a_head_and_batches_of_several_texts_are_refused()
    {
        using var bert = new Bert(BertConfig.Nano);
        Assert.Contains("no head", Assert.Throws<ArgumentException>(() => bert.LensLogits(tokens % 50)).Message,
            StringComparison.Ordinal);
        Assert.Contains("[1, time]", Assert.Throws<ArgumentException>(() => model.ReadWith(tokens)).Message,
            StringComparison.Ordinal);
    }
}
