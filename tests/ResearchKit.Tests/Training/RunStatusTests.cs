using System.Diagnostics;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

/// <summary>How runs end, and how a run whose process is gone is listed.</summary>
public sealed class RunStatusTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string? before = Environment.GetEnvironmentVariable(RunRecord.FolderVariable);

    public RunStatusTests() => Environment.SetEnvironmentVariable(RunRecord.FolderVariable, folder.Path);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, before);
        folder.Dispose();
    }

    private RunRecord Read() => RunRecord.Read(folder.Path);

    private string? Status() => Read().StatusOf(Read().Runs[0]);

    [Fact]
    public void A_run_says_that_it_runs_and_how_it_ended()
    {
        var run = RunRecord.Start("study", 1, new { steps = 3 });
        Assert.Equal("running", Status());
        foreach (var _ in RunRecordTests.Steps(3).WriteTo(run)) Assert.Equal("running", Status());
        Assert.Equal("succeeded", Status());
        foreach (var report in RunRecordTests.Steps(3).WriteTo(run, "second"))
            if (report.Step == 2) break;
        Assert.Equal("stopped", Status());
        Assert.NotNull(Read().Runs[0].Ended);
    }

    [Fact]
    public void A_run_that_fails_says_why()
    {
        var run = RunRecord.Start("study", 1, new { steps = 3 });
        var failing = RunRecordTests.Steps(2).Concat(Enumerable.Range(0, 1)
            .Select<int, StepReport>(_ => throw new ArithmeticException("The loss became NaN at step 3.")));
        Assert.Throws<ArithmeticException>(() => failing.WriteTo(run).Count());
        Assert.Equal(("failed", "The loss became NaN at step 3."), (Status(), Read().Runs[0].Error));
        run.Measure("loss", 1, "nats");
        run.Save();
        Assert.Equal("failed", Status());
    }

    [Fact]
    public void An_evaluation_is_measured_without_being_asked()
    {
        var run = RunRecord.Start("study", 1, new { steps = 3 });
        var steps = RunRecordTests.Steps(3).Select(report => report with
        {
            HeldOutLoss = report.Step == 2 ? 0.5 : null,
            LossUnit = "nats per example",
            Metrics = report.Step == 2 ? [new MetricValue("accuracy", 0.75, "share")] : null,
        });
        foreach (var _ in steps.WriteTo(run, "adamw")) { }
        var metrics = Read().Runs[0].Metrics;
        Assert.Equal(new Measurement(0.5, "nats per example"), metrics["adamw: held-out loss"]);
        Assert.Equal(new Measurement(0.75, "share"), metrics["adamw: accuracy"]);
    }

    [Fact]
    public void A_run_whose_process_is_gone_was_killed()
    {
        using var other = Process.Start(new ProcessStartInfo("sleep", "600"))!;
        var began = other.StartTime.ToUniversalTime();
        var run = new TrainingRun
        {
            Name = "study",
            Started = began,
            Seed = 1,
            Settings = new Dictionary<string, object>(),
            Status = "running",
        };
        var process = new RunProcess { Id = "other", Pid = other.Id, Host = Environment.MachineName, Began = began };
        RunFile.Update(folder.Path, _ => new RunRecord { Started = began, Process = process, Runs = [run], Status = "running" });
        Assert.Equal("running", Status());
        other.Kill();
        other.WaitForExit();
        Assert.Equal("killed", Status());
        Assert.Equal("killed", Read().StatusOf(null));

        RunFile.Update(folder.Path, record => record! with { Status = "succeeded" });   // the notebook ended all the same
        Assert.Equal("succeeded", Status());
        RunFile.Update(folder.Path, record => record! with { Status = null, Process = process with { Host = "elsewhere" } });
        Assert.Equal("running", Status());   // nothing is known of another machine
        var later = process with { Pid = Environment.ProcessId, Began = DateTime.UtcNow.AddDays(-1) };
        RunFile.Update(folder.Path, record => record! with { Process = later });
        Assert.Equal("killed", Status());   // the number belongs to a process that began later
    }
}
