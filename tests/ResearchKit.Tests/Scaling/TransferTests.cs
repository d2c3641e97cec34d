using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Scaling;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Scaling;

public class TransferTests
{
    private static readonly GptConfig Basis = GptConfig.Nano with { TieEmbeddings = false };

    [Fact]
    public void At_the_size_of_the_base_nothing_changes()
    {
        var transfer = Parametrization.Of(ParametrizationKind.CompleteP, Basis, Basis);
        var config = transfer.Configure(Basis);
        Assert.Equal(1, config.Variations.LogitScale);
        Assert.Equal(1, config.Variations.ResidualScale);
        Assert.Equal(1 / Math.Sqrt(8), config.Variations.ScoreScale!.Value, 12);
        Assert.All(transfer.Groups(0.1), group => Assert.Equal(1, group.LearningRateFactor));
        Assert.Equal(1e-8, transfer.Apply(new FusedAdamWOptions()).Epsilon);
    }

    [Fact]
    public void A_wider_and_deeper_model_has_the_factors_of_the_papers()
    {
        var config = Basis with { ModelWidth = 128, Heads = 4, Layers = 8 };
        var transfer = Parametrization.Of(ParametrizationKind.CompleteP, config, Basis);
        Assert.Equal(4, transfer.WidthRatio);
        Assert.Equal(0.25, transfer.HiddenLearningRate);
        Assert.Equal(0.5, transfer.HiddenDeviation);
        Assert.Equal(4, transfer.HiddenWeightDecay);
        Assert.Equal(0.25, transfer.LogitScale);
        Assert.Equal(0.25, transfer.ResidualScale);
        Assert.Equal(1.0 / 16, transfer.Epsilon);
        Assert.Equal(Math.Sqrt(8) / 32, transfer.ScoreScale(32), 12);
        var half = transfer with { DepthExponent = 0.5 };
        Assert.Equal(0.5, half.VectorLearningRate);
        Assert.Equal(0.125, half.HiddenLearningRate);

        using var model = (transfer with { ZeroesReadout = true }).Initialize(new Gpt(transfer.Configure(config)));
        using var hidden = model.get_parameter("h.0.attn.c_attn.weight")!.detach().std();
        Assert.Equal(0.01, hidden.item<float>(), 0.001);
        using var readout = model.get_parameter("lm_head.weight")!.detach().abs().max();
        Assert.Equal(0, readout.item<float>());
        var groups = transfer.Apply(new FusedAdamWOptions { WeightDecay = 0.1 }).Groups;
        Assert.Equal(0.4, groups[0].WeightDecay!.Value, 12);
        Assert.True(groups[0].Holds("h.0.mlp.c_fc.weight", model.get_parameter("h.0.mlp.c_fc.weight")!));
        Assert.True(groups[1].Holds("ln_f.weight", model.get_parameter("ln_f.weight")!));
        Assert.DoesNotContain(groups, group => group.Holds("wte.weight", model.get_parameter("wte.weight")!));
    }

    [Fact]
    public void Hidden_activations_keep_their_size_over_the_width_under_MuP_alone()
    {
        using var scope = NewDisposeScope();
        var tokens = randint(0, 65, [8, 16], int64);
        CoordinateCheck Check(ParametrizationKind kind) => CoordinateCheck.Run([32, 64, 128, 256], width => Model(kind, width),
            (width, model) => Transfer(kind, width).Apply(new FusedAdamWOptions { LearningRate = 1e-3 })
                .Create(model.named_parameters().Select(pair => (pair.name, pair.parameter))),
            model => Losses.NextToken(model.call(tokens), tokens), name => name == "h.1.hook_resid_post", steps: 3);
        var transferred = Check(ParametrizationKind.MuP);
        var standard = Check(ParametrizationKind.Standard);
        Assert.True(Math.Abs(transferred.Slope("h.1.hook_resid_post")) < 0.05, transferred.ToString());
        Assert.True(standard.Slope("h.1.hook_resid_post") > 0.3, standard.ToString());
        Assert.Equal(4 * 4, transferred.Sizes.Count);
        Assert.Throws<KeyNotFoundException>(() => transferred.Slope("h.9"));
    }

    private static Parametrization Transfer(ParametrizationKind kind, int width) =>
        Parametrization.Of(kind, Basis with { ModelWidth = width }, Basis);

    private static Gpt Model(ParametrizationKind kind, int width)
    {
        var transfer = Transfer(kind, width);
        return transfer.Initialize(new Gpt(transfer.Configure(Basis with { ModelWidth = width })));
    }

    [Fact]
    public void Rates_and_decays_follow_the_batch()
    {
        Assert.Equal(2e-3, BatchRules.LearningRate(1e-3, 64, 16), 12);
        Assert.Equal(0.05, BatchRules.WeightDecay(0.1, 64, 16, 4e9, 1e9), 12);
        Assert.Throws<ArgumentException>(() => BatchRules.LearningRate(1e-3, 0, 16));
    }
}
