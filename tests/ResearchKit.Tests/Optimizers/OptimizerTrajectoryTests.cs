using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

/// <summary>Every optimizer of the kit against the numbers of its reference, step by step.</summary>
public sealed class OptimizerTrajectoryTests
{
    public static TheoryData<string> Cases => [.. OptimizerCase.Names.Where(name => Hyper.Knows(Family(name)))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_equals_the_reference_step_by_step(string name)
    {
        using var scope = NewDisposeScope();
        var golden = new OptimizerCase(name);
        using var optimizer = golden.Hyper.Options(Family(name)).Create(golden.Parameters);
        for (var step = 0; step < 20; step++)
        {
            golden.SetGradients(step);
            UpdateHessian(golden, optimizer, step, "before");
            optimizer.Step();
            UpdateHessian(golden, optimizer, step, "after");
            golden.Check(step);
            CheckAverage(golden, optimizer, step);
            CheckDistance(golden, optimizer, step);
        }
    }

    [Fact]
    public void Every_stored_case_is_compared()
    {
        // TorchOptimizerTests, SamTests
        string[] elsewhere = ["rmsprop", "nadam", "nadam_torch113", "radam", "adagrad", "adamax", "adadelta", "sam"];
        Assert.Equal(OptimizerCase.Names.Select(Family).Distinct().Order(),
            elsewhere.Concat(OptimizerCase.Names.Select(Family).Where(Hyper.Knows)).Distinct().Order());
    }

    private static string Family(string name) => name.Split('.')[0];

    private static void UpdateHessian(OptimizerCase golden, Optimizer optimizer, int step, string order)
    {
        if (optimizer is not SophiaG sophia || golden.Hyper.Text("hessian_order") != order) return;
        var every = (int)golden.Hyper.Number("hessian_interval", 10);
        if (step % every == (order == "before" ? 0 : every - 1)) sophia.UpdateHessian();
    }

    private static void CheckAverage(OptimizerCase golden, Optimizer optimizer, int step)
    {
        if (optimizer is not ScheduleFreeOptimizer) return;
        foreach (var (name, _) in golden.Parameters) golden.Check(step, $"z.{name}", optimizer.State()[$"{name}.z"]);
        optimizer.Evaluate();
        foreach (var (name, parameter) in golden.Parameters) golden.Check(step, $"x.{name}", parameter);
        optimizer.Train();
    }

    private static void CheckDistance(OptimizerCase golden, Optimizer optimizer, int step)
    {
        if (optimizer is not Prodigy prodigy || !golden.Json("scalars_after_step").TryGetProperty($"{step + 1}", out var scalars))
            return;
        var expected = scalars.GetProperty("d").GetDouble();
        Assert.Equal(expected, prodigy.Distance, expected * 1e-3);
    }
}
