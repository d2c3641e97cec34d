using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

[Trait("Tier", "slow")]
public sealed class TokenMixingModelTests
{
    public static TheoryData<TokenMixing, int> All
    {
        get
        {
            var data = new TheoryData<TokenMixing, int>();
            foreach (var mixing in Enum.GetValues<TokenMixing>()) data.Add(mixing, 1);
            data.Add(TokenMixing.MultiHead, 4);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_future_cannot_change_the_past(TokenMixing mixing, int experts)
    {
        using var scope = NewDisposeScope();
        using var model = Model(mixing, experts);
        model.eval();
        var tokens = randint(0, 65, [2, 20], int64);
        var edited = tokens.clone();
        edited[.., 12..] = randint(0, 65, [2, 8], int64);
        Assert.True(allclose(model.call(tokens)[.., ..12], model.call(edited)[.., ..12], atol: 1e-5));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_loss_falls_on_one_batch_and_no_tensor_leaks(TokenMixing mixing, int experts)
    {
        using var scope = NewDisposeScope();
        using var model = Model(mixing, experts);
        using var optimizer = new FusedAdamW(model.named_parameters(), new FusedAdamWOptions { LearningRate = 3e-3 });
        var (tokens, targets) = (randint(0, 65, [4, 16], int64), randint(0, 65, [4, 16], int64));
        var (first, last, live) = (Step(), 0.0, 0L);
        for (var step = 0; step < 30; step++)
        {
            last = Step();
            if (step == 1) live = LiveTensors.Count;
        }
        Assert.True(last < first - 0.5, $"The loss went from {first:f3} to {last:f3}.");
        Assert.True(LiveTensors.Count <= live, $"{LiveTensors.Count} tensors, {live} after the first steps.");

        double Step()
        {
            using var inner = NewDisposeScope();
            model.zero_grad();
            var loss = Losses.CrossEntropy(model.call(tokens), targets);
            loss.backward();
            optimizer.Step();
            return loss.item<float>();
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void WithParameters_reaches_the_requested_number_of_parameters(TokenMixing mixing, int experts)
    {
        var config = TokenMixingConfig.Nano with { Mixing = mixing, Experts = experts };
        using var model = new TokenMixingModel(config.WithParameters(40_000));
        var channel = 3L * config.ModelWidth * config.Layers * experts;   // what one more channel in the MLPs adds
        Assert.InRange(model.parameters().Sum(parameter => parameter.numel()), 40_000 - channel, 40_000 + channel);
        Assert.Throws<ArgumentException>(() => config.WithParameters(100));
    }

    private static TokenMixingModel Model(TokenMixing mixing, int experts)
    {
        random.manual_seed(5);
        return new TokenMixingModel(TokenMixingConfig.Nano with
        {
            Mixing = mixing,
            Experts = experts,
            ActiveExperts = Math.Min(experts, 2)
        });
    }
}
