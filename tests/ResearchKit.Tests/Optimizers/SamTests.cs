using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class SamTests
{
    public static TheoryData<string> Cases =>
        [.. OptimizerCase.Names.Where(name => name.StartsWith("sam.", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_equals_the_reference_step_by_step(string name)
    {
        using var scope = NewDisposeScope();
        var golden = new OptimizerCase(name);
        var inner = golden.Hyper.Inner("base_hyper").Options(golden.Hyper.Text("base").ToLowerInvariant())
            .Create(golden.Parameters);
        using var optimizer =
            new Sam(golden.Parameters, inner,
            new SamOptions { Rho = golden.Hyper.Number("rho", 0.05), Adaptive = golden.Hyper.Flag("adaptive") });
        foreach (var (step, expected) in golden.Json("loss_before_each_step").EnumerateArray().Index())
        {
            var losses = new List<double>();
            optimizer.Step(() =>
            {
                var loss = Loss(golden);
                losses.Add(loss.item<float>());
                loss.backward();
            });
            Assert.Equal(expected.GetDouble(), losses[0], Math.Abs(expected.GetDouble()) * 1e-5);
            Assert.True(losses[1] > losses[0], "the second gradient is taken where the loss is worse");
            golden.Check(step);
        }
    }

    [Fact]
    public void If_the_second_gradient_fails_the_weights_are_restored()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(3));
        using var optimizer = new Sam([("w", weight)], new FusedSgd([("w", weight)]), new SamOptions { Rho = 0.5 });
        var calls = 0;
        Assert.Throws<ArithmeticException>(() => optimizer.Step(() =>
        {
            if (++calls == 2) throw new ArithmeticException("not a number");
            weight.grad = ones(3);
        }));
        Near.Check("weights", ones(3), weight, 0);
    }

    [Fact]
    public void Between_Climb_and_Step_the_state_and_a_second_Climb_are_refused()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(4));
        using var optimizer =
            new Sam([("w", weight)], new FusedSgd([("w", weight)], new FusedSgdOptions { LearningRate = 0.1, Momentum = 0.9 }),
            new SamOptions { Rho = 0.5 });
        weight.grad = full(4, 3f);
        optimizer.Climb();
        Near.Check("half a length away", full(4, 1.25f), weight, 1e-6);
        Assert.Throws<InvalidOperationException>(optimizer.State);
        Assert.Throws<InvalidOperationException>(optimizer.Climb);
        optimizer.LearningRate = 0.2;
        optimizer.Step();
        Near.Check("stepped from where it was", full(4, 0.4f), weight, 1e-6);
        Assert.Contains("w.momentum_buffer", optimizer.State());
        optimizer.ZeroGrad();
        optimizer.Climb();   // there is nothing to climb
        Near.Check("stayed", full(4, 0.4f), weight, 1e-6);
        Assert.Throws<ArgumentException>(() =>
            new Sam([("w", weight)], new FusedSgd([("w", weight)]), new SamOptions { Rho = double.NaN }));
    }

    private static Tensor Loss(OptimizerCase golden) => golden.Parameters.Select(pair =>
    {
        var away = pair.Parameter - golden.Problem($"t/{pair.Name}");
        return ((0.5 * golden.Problem($"a/{pair.Name}") * away.square()) + (0.25 * away.pow(4))).sum();
    }).Aggregate((sum, one) => sum + one);
}
