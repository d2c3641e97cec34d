using ResearchKit.Checkpoints;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class FusedAdamWTests
{
    private static readonly string[] Names = ["w0", "w1", "w2"];

    [Theory]
    [InlineData("adamw.0", 0.01, 0.9, 0.999, 0.01, 3.5e-6)]
    [InlineData("adamw.1", 0.003, 0.9, 0.95, 0.1, 2.1e-6)]
    public void It_equals_the_reference_step_by_step(string name, double learningRate, double beta1, double beta2,
        double weightDecay, double tolerance)
    {
        using var scope = NewDisposeScope();
        var problem = Read("problem_A");
        var expected = Read("adamw");
        var parameters = Names.Select(parameter => (parameter, new Parameter(problem[$"init/{parameter}"].clone()))).ToList();
        using var optimizer =
            new FusedAdamW(parameters,
            new FusedAdamWOptions { LearningRate = learningRate, Beta1 = beta1, Beta2 = beta2, WeightDecay = weightDecay });
        for (var step = 1; step <= 20; step++)
        {
            foreach (var (parameter, value) in parameters) value.grad = problem[$"grad/{parameter}"][step - 1];
            optimizer.Step();
            if (step is 1 or 2 or 5 or 20)
                foreach (var (parameter, value) in parameters)
                    Near.Check($"{name} {parameter} step {step}", expected[$"{name}/step{step}/{parameter}"], value, tolerance);
        }
    }

    [Fact]
    public void Training_resumes_exactly_from_a_state_and_missing_state_is_refused()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (new Parameter(ones(3)), new Parameter(ones(3)));
        using var one = new FusedAdamW([("w", first)]);
        using var two = new FusedAdamW([("w", second)]);
        first.grad = tensor(new[] { 1f, 2, 3 });
        one.Step();
        two.LoadState(one.State().ToDictionary());
        using (no_grad()) second.copy_(first);
        second.grad = first.grad!.clone();
        one.Step();
        two.Step();
        Near.Check("after", first, second, 0);
        Assert.Contains("w.step",
            Assert.Throws<InvalidDataException>(() => two.LoadState(new Dictionary<string, Tensor>())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_without_a_gradient_do_not_change_and_the_rule_selects_what_decays()
    {
        using var scope = NewDisposeScope();
        var (matrix, bias, idle) = (new Parameter(ones(2, 2)), new Parameter(ones(2)), new Parameter(ones(2, 2)));
        using var optimizer = new FusedAdamW([("matrix", matrix), ("bias", bias), ("idle", idle)],
            new FusedAdamWOptions { LearningRate = 0.1, WeightDecay = 0.5, Decays = ParameterRules.MatricesOnly });
        matrix.grad = zeros(2, 2);
        bias.grad = zeros(2);
        optimizer.Step();
        Near.Check("matrix", full([2, 2], 0.95f), matrix, 1e-6);
        Near.Check("bias", ones(2), bias, 0);
        Near.Check("idle", ones(2, 2), idle, 0);
        optimizer.ZeroGrad();
        Assert.Null(matrix.grad);
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var options in new FusedAdamWOptions[] { new() { LearningRate = -1 }, new() { Beta1 = 1 },
            new() { Beta2 = double.NaN },
            new() { Epsilon = -1 }, new() { WeightDecay = -1 } })
            Assert.Throws<ArgumentException>(() => new FusedAdamW([("w", new Parameter(ones(1)))], options));
        Assert.Throws<ArgumentException>(() => new FusedAdamW([]));
    }

    private static Dictionary<string, Tensor> Read(string name) =>
        SafetensorsFile.Read(Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "optim", $"{name}.safetensors"));
}
