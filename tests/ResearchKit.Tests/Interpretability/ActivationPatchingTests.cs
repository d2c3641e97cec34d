using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class ActivationPatchingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt gpt = Sharpened(new Gpt(GptConfig.Nano with { Layers = 3 }));
    private readonly Tensor clean = randint(0, 65, [2, 6], int64);
    private readonly Tensor corrupted = randint(0, 65, [2, 6], int64);
    private readonly Target target = Target.Difference([3, 4], [5, 6], [-1]);

    public void Dispose()
    {
        gpt.Dispose();
        scope.Dispose();
    }

    [Theory]
    [InlineData(PatchSite.ResidualPre)]
    [InlineData(PatchSite.ResidualMid)]
    [InlineData(PatchSite.ResidualPost)]
    [InlineData(PatchSite.AttentionOut)]
    [InlineData(PatchSite.MlpOut)]
    [InlineData(PatchSite.HeadOut)]
    [InlineData(PatchSite.Query)]
    [InlineData(PatchSite.Key)]
    [InlineData(PatchSite.Value)]
    [InlineData(PatchSite.Pattern)]
    public void A_sweep_of_later_layers_alone_equals_one_of_whole_forwards(PatchSite site)
    {
        using var llama = Sharpened(new Llama(LlamaConfig.Nano));
        var all = Target.KullbackLeibler(gpt.call(clean), position: null);
        (nn.Module<Tensor, Tensor>, Target)[] cases = [(gpt, target), (llama, target), (gpt, all)];
        foreach (var (model, measured) in cases)
        {
            var fast = model.Patch(clean, corrupted, measured, site);
            var plain = model.Patch(clean, corrupted, measured, site, new PatchingOptions { WholeForwards = true });
            Assert.True(fast.Evidence!.Holds, fast.ToString());
            Assert.True(fast.Values.Cast<double>().Distinct().Count() > 3);
            for (var row = 0; row < fast.Rows.Count; row++)
                for (var column = 0; column < fast.Columns.Count; column++)
                    Assert.Equal(plain.Values[row, column], fast.Values[row, column], 1e-5);
        }
    }

    [Fact]
    public void Patching_an_input_by_itself_changes_nothing()
    {
        var value = target.Values(gpt.call(corrupted)).Average();
        var grid = gpt.Patch(corrupted, corrupted, target, PatchSite.HeadOut);
        Assert.All(grid.Values.Cast<double>(), cell => Assert.Equal(value, cell, 1e-5));
        Assert.Contains("there is no share", Assert.Throws<ArgumentException>(() => gpt.Patch(corrupted, corrupted, target,
            PatchSite.HeadOut, new PatchingOptions { Normalized = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Positions_can_be_chosen_and_shares_run_from_zero_to_one()
    {
        var options = new PatchingOptions { Normalized = true, Positions = [-1, 0], TokensAtOnce = 1 };
        var grid = gpt.Patch(clean, corrupted, target, PatchSite.ResidualPost, options);
        Assert.Equal(["5", "0"], grid.Columns);
        Assert.Equal(1, grid.Values[2, 0], 1e-4);   // the last stream at the position of the target
        Assert.Equal(0, grid.Values[2, 1], 1e-4);
    }

    [Fact]
    public void Models_without_later_layers_alone_are_patched_the_plain_way()
    {
        using var bert = new BertForSequenceClassification(BertConfig.Nano);
        using var vit = new Vit(VitConfig.Nano);
        var texts = bert.Patch(clean % 50, corrupted % 50, Target.Logit(1), PatchSite.ResidualPre);
        Assert.True(texts.Evidence!.Holds, texts.ToString());
        var images = vit.Patch(rand(1, 1, 28, 28), rand(1, 1, 28, 28), Target.Logit(1), PatchSite.Pattern);
        Assert.True(images.Evidence!.Holds, images.ToString());
    }

    [Fact]
    public void Wrong_sweeps_are_refused_and_leave_no_hook()
    {
        Fails("the patched input [2, 5]", () => gpt.Patch(clean, corrupted[.., ..5], target, PatchSite.HeadOut));
        Fails("position 6; the text has 6",
            () => gpt.Patch(clean, corrupted, target, PatchSite.HeadOut, new PatchingOptions { Positions = [6] }));
        Fails("token 65; the model has 65", () => gpt.Patch(clean, corrupted, Target.Logit(65), PatchSite.HeadOut));
        using var attention = new Gpt(GptConfig.Nano with { AttentionOnly = true });
        Fails("no MLP", () => attention.Patch(clean, corrupted, target, PatchSite.MlpOut));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => gpt.Patch(clean, corrupted, target, PatchSite.HeadOut,
            cancellation: cancelled.Token));
        Assert.DoesNotContain(gpt.modules().OfType<HookPoint>(), point => point.IsWatched);
    }

    private static void Fails(string words, Action action) =>
        Assert.Contains(words, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);

    /// <summary>Larger weights, so that effects are larger than rounding.</summary>
    private static T Sharpened<T>(T model) where T : nn.Module
    {
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 2)) parameter.mul_(4);
        return model;
    }
}
