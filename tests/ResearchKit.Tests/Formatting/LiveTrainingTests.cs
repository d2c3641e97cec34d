using ResearchKit.Formatting;
using ResearchKit.Training;

namespace ResearchKit.Tests.Formatting;

public sealed class LiveTrainingTests : IDisposable
{
    private readonly Func<object, Action<object>>? host = LiveDisplay.Host;
    private readonly List<TrainingProgress> shown = [];

    public LiveTrainingTests() => Formatters.Install(first =>
    {
        shown.Add((TrainingProgress)first);
        return next => shown.Add((TrainingProgress)next);
    });

    public void Dispose() => LiveDisplay.Host = host;

    [Fact]
    public void Watch_passes_all_steps_on_and_shows_the_last_state()
    {
        var steps = Steps(500).Watch("gpt", "bits per byte").ToList();
        Assert.Equal(500, steps.Count);
        Assert.Equal((TrainingState.Finished, 500), (shown[^1].State, shown[^1].Last!.Value.Step));
        Assert.Equal(("gpt", "bits per byte"), (shown[^1].History.Name, shown[^1].History.LossUnit));
        Assert.InRange(shown.Count, 2, 20);   // not every step
        Assert.Single(shown[0].History.Reports);   // what was shown once does not change
    }

    [Fact]
    public void Breaking_out_of_the_loop_shows_a_last_state()
    {
        foreach (var report in Steps(500).Watch())
            if (report.Step == 7) break;
        Assert.Equal((TrainingState.Stopped, 7), (shown[^1].State, shown[^1].Last!.Value.Step));
    }

    [Fact]
    public void A_failing_run_shows_a_last_state_and_throws_its_own_error()
    {
        var run = Steps(5).Concat(Enumerable.Range(0, 1)
            .Select<int, StepReport>(_ => throw new InvalidOperationException("out of memory")));
        Assert.Equal("out of memory",
            Assert.Throws<InvalidOperationException>(() =>
            run.Select(report => report with { Steps = 9 }).Watch().Count()).Message);
        Assert.Equal((TrainingState.Stopped, 5), (shown[^1].State, shown[^1].Last!.Value.Step));
    }

    [Fact]
    public void A_display_that_fails_does_not_stop_the_training()
    {
        Formatters.Install(_ => throw new InvalidOperationException("the browser is gone"));
        Assert.Equal(20, Steps(20).Watch().Count());
        Assert.Empty(Enumerable.Empty<StepReport>().Watch());
    }

    [Fact]
    public void Without_a_host_the_first_and_the_last_state_are_written_to_the_console()
    {
        LiveDisplay.Host = null;
        var console = Console.Out;
        using var written = new StringWriter();
        try
        {
            Console.SetOut(written);
            Assert.Equal(300, Steps(300).Watch().Count());
        }
        finally
        {
            Console.SetOut(console);
        }
        var lines = written.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains("step 1/300", lines[0], StringComparison.Ordinal);
        Assert.Contains("step 300/300", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_is_shown_as_one_line_of_text_and_an_accessible_bar()
    {
        var run = CurveFormattingTests.Run("gpt", 800, step => 4 / Math.Sqrt(step));
        var progress = new TrainingProgress(run with { Reports = [.. run.Reports.Take(340)] }, TrainingState.Running);
        Assert.Equal("━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌ 42 % · step 340/800 · loss 0.2169 · held-out 0.2169 · 5,120 tokens/s · 0:46 left",
            Shown.Text(progress));
        var bar = Shown.Document(progress).Descendants().Single(element => element.Attribute("role")?.Value == "progressbar");
        Assert.Equal("42", bar.Attribute("aria-valuenow")!.Value);
        Assert.Contains("no step yet", Shown.Text(new TrainingProgress(new TrainingHistory("a\nb", []), TrainingState.Running)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_metrics_of_the_last_evaluation_stand_beside_the_loss()
    {
        var run = CurveFormattingTests.Run("gpt", 8, _ => 1);
        var evaluated = run.Reports[^1] with
        {
            HeldOutLoss = 0.5,
            Metrics = [new("accuracy", 0.875, "share"), new("<F1>", 0.5, "share")],
        };
        var later = evaluated with { HeldOutLoss = null, Metrics = null };
        var progress = new TrainingProgress(run with { Reports = [evaluated, later] }, TrainingState.Running);
        Assert.Contains("held-out 0.5 · accuracy 0.875 · <F1> 0.5 · ", Shown.Text(progress), StringComparison.Ordinal);
        Assert.Contains("<span class=\"rk-num\">accuracy 0.875</span><span class=\"rk-num\">&lt;F1&gt; 0.5</span>",
            Shown.Page(progress), StringComparison.Ordinal);
        var second = run with { Reports = [evaluated with { Metrics = [new("accuracy", 0.625, "share")] }] };
        var compared = RunComparison.Of(run with { Reports = [evaluated] }, second);
        Assert.Contains("accuracy 0.7500 (0.6250 to 0.8750)", compared.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Utilization_and_peak_memory_are_shown_if_they_are_known()
    {
        var run = CurveFormattingTests.Run("gpt", 8, _ => 1);
        var report = run.Reports[^1] with { OperationsPerTarget = 1e6 };   // at 5,120 tokens a second
        var progress = new TrainingProgress(run with { Reports = [report] },
            TrainingState.Running)
        { OperationsPerSecond = 12.8e9, PeakMemory = 1_240_000_000 };
        Assert.Equal(0.4, progress.Utilization!.Value, 12);
        Assert.Contains("5,120 tokens/s · 40 % of the matrix-product rate · peak 1.24 GB · 0:00 left", Shown.Text(progress),
            StringComparison.Ordinal);
        Assert.Contains("<span class=\"rk-num\">40 % of the matrix-product rate</span><span class=\"rk-num\">peak 1.24 GB</span>",
            Shown.Page(progress), StringComparison.Ordinal);
        Assert.Null((progress with { History = run }).Utilization);   // operations of a target not known
        Assert.Null((progress with { OperationsPerSecond = null }).Utilization);

        var rate = 2 * report.OperationsPerSecond;
        Assert.Equal(3, Steps(3).Select(step => step with { OperationsPerTarget = 1e6 }).Watch(operationsPerSecond: rate)
            .Count());
        Assert.Equal(0.5, shown[^1].Utilization!.Value, 12);
        Assert.True(shown[^1].PeakMemory > 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => Steps(3).Watch(operationsPerSecond: 0));
    }

    private static IEnumerable<StepReport> Steps(int count) =>
        Enumerable.Range(1, count).Select(step => CurveFormattingTests.Report(step, count, 1.0 / step));
}
