using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class HeapMaintenanceTests
{
    [Fact]
    public void Garbage_collections_depend_on_the_allocated_bytes_and_not_on_time()
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
    public void Memory_is_returned_after_an_evaluation_that_needed_far_more(long before, long after, bool expected) =>
        Assert.Equal(expected, HeapMaintenance.NeededFarMore(before << 20, after << 20));

    [Fact]
    public void The_number_of_live_tensors_does_not_grow_over_90_steps()
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
    public void ReturnFreeMemory_keeps_memory_that_is_in_use()
    {
        using var kept = MallocTuning.Keep();
        using var tensor = ones(10);
        Compute.ReturnFreeMemory();
        Assert.Equal(10, tensor.sum().item<float>());   // what is in use stays
    }
}
