using ResearchKit.Layers;
using static ResearchKit.Tests.Layers.Naive;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class MixtureOfExpertsTests
{
    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(3, 3)]
    public void It_follows_its_formula(int experts, int active) =>
        NewerAttentionTests.Check(new MixtureOfExperts(16, 12, experts, active), (layer, tokens) =>
        {
            var w = Weights(layer);
            return [.. tokens.Select(x =>
            {
                var probabilities = Softmax(Times(w("gate.weight"), x));
                var chosen = Enumerable.Range(0, experts).OrderByDescending(e => probabilities[e]).Take(active).ToArray();
                var total = chosen.Sum(e => probabilities[e]);
                return Sum([.. chosen.Select(e => probabilities[e] / total)], [.. chosen.Select(e => Times(
                    w($"experts.{e}.down_proj.weight"),
                    [.. Times(w($"experts.{e}.gate_proj.weight"), x)
                        .Zip(Times(w($"experts.{e}.up_proj.weight"), x), (gate, up) => Silu(gate) * up)]))]);
            })];
        });

    [Fact]
    public void A_mixture_of_one_expert_equals_a_gated_MLP()
    {
        using var scope = NewDisposeScope();
        var (mixture, mlp) = (new MixtureOfExperts(8, 12, experts: 1, active: 1), new GatedMlp(8, 12));
        mlp.load_state_dict(mixture.state_dict().Where(pair => pair.Key.StartsWith("experts.0.", StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key["experts.0.".Length..], pair => pair.Value));
        var x = randn(3, 5, 8);
        Assert.True(allclose(mixture.call(x), mlp.call(x), atol: 1e-6));
    }

    [Fact]
    public void The_balance_loss_is_one_if_balanced_and_the_number_of_experts_if_one_gets_all()
    {
        using var scope = NewDisposeScope();
        var even = LoadBalance.Loss(full([4, 4], 0.25f), arange(4).unsqueeze(-1));
        Assert.Equal(1, even.item<float>(), 1e-6);
        var probabilities = zeros(5, 4);
        probabilities[.., 2] = 1;
        Assert.Equal(4, LoadBalance.Loss(probabilities, full([5, 1], 2L)).item<float>(), 1e-6);
        Assert.Throws<ArgumentException>(() => LoadBalance.Loss(probabilities, full([3, 1], 2L)));
    }

    /// <summary>The gradient is that of the task's loss plus the weighted balance, the value the task's alone.</summary>
    [Fact]
    public void In_training_the_gradient_of_the_balance_loss_is_added_to_the_router()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        using var mixture = new MixtureOfExperts(8, 12, experts: 4, active: 2, balance: 0.5);
        var (x, gate) = (randn(6, 8), mixture.get_parameter("gate.weight")!);
        mixture.eval();
        var plain = mixture.call(x);
        var probabilities = nn.functional.linear(x, gate).softmax(-1);
        (plain.square().sum() + (0.5 * LoadBalance.Loss(probabilities, probabilities.topk(2, -1).indexes))).backward();
        var expected = gate.grad!.clone();
        mixture.zero_grad();
        mixture.train();
        var trained = mixture.call(x);
        trained.square().sum().backward();
        Assert.True(allclose(plain, trained));
        Assert.True(allclose(expected, gate.grad!, rtol: 1e-4, atol: 1e-6),
            $"{(expected - gate.grad!).abs().max().item<float>()}");
    }

    [Fact]
    public void Invalid_numbers_of_experts_and_balance_weights_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new MixtureOfExperts(8, 12, experts: 2, active: 3));
        Assert.Throws<ArgumentException>(() => new MixtureOfExperts(8, 12, experts: 2, active: 0));
        Assert.Throws<ArgumentException>(() => new MixtureOfExperts(8, 12, experts: 2, balance: double.NaN));
    }
}
