using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class ScheduleFreeTests
{
    [Fact]
    public void Evaluation_does_not_change_the_run_and_a_step_in_evaluation_mode_is_refused()
    {
        using var scope = NewDisposeScope();
        var (watched, left) = (new Parameter(ones(5)), new Parameter(ones(5)));
        using var one = new ScheduleFreeAdamW([("w", watched)], new ScheduleFreeAdamWOptions { LearningRate = 0.1 });
        using var other = new ScheduleFreeAdamW([("w", left)], new ScheduleFreeAdamWOptions { LearningRate = 0.1 });
        for (var step = 1; step <= 6; step++)
        {
            watched.grad = left.grad = arange(5).to(float32).sub(step);
            one.Step();
            other.Step();
            one.Evaluate();
            one.Evaluate();
            if (step > 1) Assert.NotEqual(left.data<float>().ToArray(), watched.data<float>().ToArray());
            Assert.Contains("Train()", Assert.Throws<InvalidOperationException>(one.Step).Message, StringComparison.Ordinal);
            one.Train();
            Near.Check("weights", left, watched, 0);
        }
    }

    [Fact]
    public void Training_resumes_from_a_state_saved_in_evaluation_mode()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (new Parameter(ones(5)), new Parameter(ones(5)));
        using var one = new ScheduleFreeSgd([("w", first)], new ScheduleFreeSgdOptions { LearningRate = 0.1 });
        using var two = new ScheduleFreeSgd([("w", second)], new ScheduleFreeSgdOptions { LearningRate = 0.1 });
        first.grad = second.grad = arange(5).to(float32);
        for (var step = 0; step < 3; step++) one.Step();
        one.Evaluate();
        using (no_grad()) second.copy_(first);
        two.LoadState(one.State());
        one.Train();
        Assert.Throws<InvalidOperationException>(two.Step);
        two.Train();
        Near.Check("y", first, second, 1e-6);
        one.Step();
        two.Step();
        Near.Check("after", first, second, 1e-6);
    }

    [Fact]
    public void Invalid_momentum_and_warm_up_settings_are_refused()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(1));
        Assert.Throws<ArgumentException>(() => new ScheduleFreeSgd([("w", weight)], new ScheduleFreeSgdOptions { Momentum = 0 }));
        Assert.Throws<ArgumentException>(() =>
            new ScheduleFreeAdamW([("w", weight)], new ScheduleFreeAdamWOptions { Beta1 = 0 }));
        Assert.Throws<ArgumentException>(() =>
            new ScheduleFreeAdamW([("w", weight)], new ScheduleFreeAdamWOptions { WarmupSteps = -1 }));
    }
}
