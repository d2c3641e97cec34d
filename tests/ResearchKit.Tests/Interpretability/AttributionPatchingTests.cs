using ResearchKit.Interpretability;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class AttributionPatchingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void On_a_model_linear_in_the_patched_place_the_estimate_is_exact()
    {
        using var model = new Gpt(GptConfig.Nano with { AttentionOnly = true, Norms = false });
        model.to(float64);
        var (clean, corrupted) = (randint(0, 65, [2, 5], int64), randint(0, 65, [2, 5], int64));
        // the last layer's heads reach the logits by matrices alone
        var exact = model.Patch(clean, corrupted, Target.Logit(3), PatchSite.HeadOut);
        var estimate = model.EstimatePatch(clean, corrupted, Target.Logit(3), PatchSite.HeadOut);
        for (var head = 0; head < 4; head++) Assert.Equal(exact.Values[1, head], estimate.Values[1, head], 1e-10);
    }

    [Fact]
    public void Halving_a_small_change_quarters_the_error()
    {
        using var model = new Gpt(GptConfig.Nano with { TieEmbeddings = false });
        model.to(float64);
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 2)) parameter.mul_(5);
        var (clean, corrupted) = (tensor(new long[,] { { 1, 2, 3, 4 } }), tensor(new long[,] { { 1, 5, 3, 4 } }));
        var rows = model.get_parameter("wte.weight")!;
        var direction = randn(32, float64);
        double Error(double change)
        {
            rows[5].copy_(rows[2] + (direction * change));   // token 5 is token 2, moved a little
            var exact = model.Patch(clean, corrupted, Target.Logit(3), PatchSite.ResidualPre);
            using var grad = enable_grad();
            var estimate = model.EstimatePatch(clean, corrupted, Target.Logit(3), PatchSite.ResidualPre);
            return Math.Abs(exact.Values[0, 1] - estimate.Values[0, 1]);
        }
        Assert.InRange(Error(2e-4) / Error(1e-4), 3.5, 4.5);
    }
}
