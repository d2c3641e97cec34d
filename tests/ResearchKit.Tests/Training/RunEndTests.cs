using ResearchKit.Data;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>What a run leaves when it ends before its last step, and what a resumed run knows of the steps before.</summary>
public sealed class RunEndTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    private sealed class StopAt(int step) : TrainingCallback
    {
        public override void StepEnds(Trainer trainer, StepReport report)
        {
            if (report.Step == step) trainer.Stop();
        }
    }

    private static readonly TensorExamples Data = Made();

    private static TensorExamples Made()
    {
        manual_seed(5);
        return new TensorExamples(randn(32, 3).DetachFromDisposeScope(), randint(0, 2, [32], int64).DetachFromDisposeScope());
    }

    private Trainer Make(TrainerOptions options, IExamples? heldOut = null)
    {
        manual_seed(1);
        return new Trainer(nn.Linear(3, 2), Objective.Classification, new BatchLoader(Data, 4), options with
        {
            WarmupSteps = 1,
            Checkpoints = new CheckpointOptions(folder.Path, 100),
        }, heldOut ?? Data);
    }

    private string[] Steps() => [.. Directory.GetDirectories(folder.Path, "step-*").Select(Path.GetFileName).Order()!];

    [Fact]
    public void A_run_that_a_callback_stops_has_its_last_evaluation_and_checkpoint()
    {
        using var trainer = Make(new TrainerOptions { Steps = 20, Callbacks = [new StopAt(7)] });
        var reports = trainer.Run().ToList();
        Assert.Equal(7, reports.Count);
        Assert.Equal(trainer.EvaluateAll().Loss, reports[^1].HeldOutLoss!.Value, 9);
        Assert.Equal("accuracy", Assert.Single(reports[^1].Metrics!).Name);
        Assert.Equal(reports[^1], trainer.History().Reports[^1]);
        Assert.Equal(7, trainer.Best.Step);
        Assert.Equal(["step-00000007"], Steps());
        Assert.Equal(["best-00000007"], Directory.GetDirectories(folder.Path, "best-*").Select(Path.GetFileName));
    }

    [Fact]
    public void Early_stopping_cancelling_and_stopping_leave_a_checkpoint()
    {
        using var early = Make(new TrainerOptions { Steps = 50, EvaluateEvery = 2, Patience = 1, Schedule = _ => 0 });
        Assert.Equal(4, early.Run().Count());
        Assert.Equal(["step-00000004"], Steps());
        using var cancelled = Make(new TrainerOptions { Steps = 50 });
        cancelled.Resume(folder.Path, otherRun: true);
        using var cancel = new CancellationTokenSource();
        foreach (var report in cancelled.Run(cancel.Token))
            if (report.Step == 6) cancel.Cancel();
        foreach (var report in cancelled.Run())
            if (report.Step == 9) cancelled.Stop();
        Assert.Equal(["step-00000004", "step-00000006", "step-00000009"], Steps());
    }

    [Fact]
    public void A_history_runs_on_across_a_resume()
    {
        using var whole = Make(new TrainerOptions { Steps = 12, EvaluateEvery = 3 });
        var expected = whole.Fit().Reports;
        Directory.Delete(folder.Path, recursive: true);
        using (var first = Make(new TrainerOptions { Steps = 12, EvaluateEvery = 3, Callbacks = [new StopAt(5)] })) first.Fit();
        using (var second = Make(new TrainerOptions { Steps = 12, EvaluateEvery = 3 }))
        {
            second.Resume(folder.Path);
            Assert.Equal(5, second.History().Reports.Count);
            foreach (var report in second.Run())
                if (report.Step == 8) break;   // as if it were killed: no checkpoint of step 8
        }
        using var third = Make(new TrainerOptions { Steps = 12, EvaluateEvery = 3 });
        third.Resume(folder.Path);
        var history = third.Fit().Reports;
        Assert.Equal(Enumerable.Range(1, 12), history.Select(report => report.Step));
        Assert.Equal(expected.Select(report => report.Loss), history.Select(report => report.Loss));
        Assert.Equal(expected.Where(report => report.Step != 5).Select(report => report.HeldOutLoss),
            history.Where(report => report.Step != 5).Select(report => report.HeldOutLoss));
    }

    [Fact]
    public void A_damaged_history_is_said_and_does_not_keep_a_run_from_going_on()
    {
        using (var first = Make(new TrainerOptions { Steps = 4 })) first.Fit();
        File.WriteAllText(folder.PathTo("history.jsonl"), "not a report\n{}\n");
        using var second = Make(new TrainerOptions { Steps = 6 });
        second.Resume(folder.Path);
        Assert.Contains("history.jsonl, line 1", second.ResumeNote, StringComparison.Ordinal);
        Assert.Equal([5, 6], second.Fit().Reports.Select(report => report.Step));
    }

    [Fact]
    public void An_evaluation_without_a_target_says_so()
    {
        var none = new TensorExamples(zeros(6, 3), full([6], -100L, int64));
        using var trainer = Make(new TrainerOptions { Steps = 2 }, none);
        var report = trainer.EvaluateAll();
        Assert.Equal((0, 6), (report.Targets, report.Examples));
        Assert.True(double.IsNaN(report.Loss));
        Assert.Contains("no target in the 6 held-out examples", report.ToString(), StringComparison.Ordinal);
    }
}
