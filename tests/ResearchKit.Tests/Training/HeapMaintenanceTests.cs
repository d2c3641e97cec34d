using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class HeapMaintenanceTests
{
    [Fact]
    public void It_collects_by_what_steps_allocate_and_not_by_time()
    {
        using var maintenance = new HeapMaintenance();
        maintenance.StepBegins();
        Thread.Sleep(300);
        maintenance.StepBegins();
        Assert.Equal(0, maintenance.Collections);
        for (var step = 0; step < 8; step++)
        {
            GC.KeepAlive(new byte[1 << 20]);
            maintenance.StepBegins();
        }
        Assert.Equal(4, maintenance.Collections);   // after every 2 MB; a megabyte's header brings the sum just above it
    }

    [Theory]
    [InlineData(100, 120, false)]    // less than 64 MB
    [InlineData(100, 170, true)]
    [InlineData(1000, 1200, false)]  // less than a quarter of what the steps hold
    [InlineData(1000, 1300, true)]
    [InlineData(1000, 900, false)]
    public void Memory_goes_back_after_an_evaluation_that_needed_far_more(long before, long after, bool expected) =>
        Assert.Equal(expected, HeapMaintenance.NeededFarMore(before << 20, after << 20));

    [Fact]
    public void Ninety_more_steps_of_a_run_leave_no_more_tensors()
    {
        using var model = new Dense(4, 3);
        using var trainer = new Trainer(model, Losses.CrossEntropy,
            new BatchLoader(new TensorExamples(randn(64, 4), randint(0, 3, [64], int64)), 8),
            new TrainerOptions { Steps = 100, EvaluateEvery = null });
        var living = new List<long>();
        foreach (var report in trainer.Run())
            if (report.Step is 10 or 100) living.Add(LiveTensors.Settled());
        // one left by each step would be 90; garbage of earlier tests may go meanwhile
        Assert.InRange(living[1] - living[0], long.MinValue, 45);
    }

    [Fact]
    public void Memory_is_given_back_when_asked_for_also_in_a_run()
    {
        using var kept = MallocTuning.Keep();
        using var tensor = ones(10);
        Compute.ReturnFreeMemory();
        Assert.Equal(10, tensor.sum().item<float>());   // what is in use stays
    }
}
