using CsCheck;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class LionTests
{
    [Fact]
    public void Every_weight_moves_by_the_learning_rate() =>
        Gen.Select(Gen.Double[1e-4, 1], Gen.ULong).Sample((rate, seed) =>
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(seed);
            var weight = new Parameter(zeros(3, 4, dtype: float64));
            using var optimizer = new Lion([("w", weight)], new LionOptions { LearningRate = rate });
            for (var step = 0; step < 3; step++)
            {
                var before = weight.detach().clone();
                weight.grad = randn([3, 4], dtype: float64, generator: generator);
                optimizer.Step();
                Near.Check("length of the step", full([3, 4], rate, float64), (weight.detach() - before).abs(), 1e-12);
            }
        }, iter: 20);

    [Fact]
    public void The_first_step_depends_only_on_the_sign_of_the_gradient()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(zeros(4));
        weight.grad = tensor(new[] { -1e9f, -1e-9f, 0f, 3f });
        using var optimizer = new Lion([("w", weight)], new LionOptions { LearningRate = 0.5 });
        optimizer.Step();
        Near.Check("moved", tensor(new[] { 0.5f, 0.5f, 0f, -0.5f }), weight, 0);
    }
}
