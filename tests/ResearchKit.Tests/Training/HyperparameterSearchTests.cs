using ResearchKit.Data;
using ResearchKit.Metrics;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class HyperparameterSearchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int steps;

    public void Dispose() => folder.Dispose();

    private static readonly Dictionary<string, SearchRange> Space = new()
    {
        ["rate"] = SearchRange.LogBetween(1e-5, 1),
        ["width"] = SearchRange.Whole(2, 5),
        ["smoothing"] = SearchRange.OneOf(0, 0.1),
    };

    private sealed class Counter(HyperparameterSearchTests test) : TrainingCallback
    {
        public override void StepEnds(Trainer trainer, StepReport report) => test.steps++;
    }

    private Trainer Make(Trial trial, int last, Metric<Tensor>? best = null)
    {
        var (inputs, targets) = (randn(32, 3), randint(0, 2, [32], int64));
        var examples = new TensorExamples(inputs, targets);
        var model = nn.Sequential(nn.Linear(3, trial.Get<int>("width")), nn.ReLU(), nn.Linear(trial.Get<int>("width"), 2));
        return new Trainer(model, Objective.Of(Losses.WeightedCrossEntropy(labelSmoothing: trial.Get<double>("smoothing")),
            "nats per example", Metric.Accuracy), new BatchLoader(examples, 8), new TrainerOptions
            {
                Steps = last,
                Schedule = _ => trial.Get<double>("rate"),
                EvaluateEvery = last,
                BestBy = best,
                Checkpoints = trial.Checkpoints(),
                Callbacks = [new Counter(this)],
            }, examples);
    }

    private HyperparameterSearch Search(int last, Metric<Tensor>? best = null, string name = "study", int seed = 3) =>
        new(folder.PathTo(name), Space, trial => Make(trial, last, best)) { Seed = seed };

    [Fact]
    public void Random_trials_are_runs_with_records_and_the_best_is_first()
    {
        var result = Search(4).Random(5);
        Assert.Equal(20, steps);
        Assert.Equal(5, result.Trials.Count);
        Assert.Equal(result.Trials.Min(one => one.Value), result.Best.Value);
        Assert.All(result.Trials, one =>
        {
            Assert.Equal(("succeeded", 4), (one.Status, one.Steps));
            var run = Assert.Single(RunRecord.Read(one.Trial.Folder).Runs);
            Assert.Equal(new Measurement(one.Value, "held-out loss"), run.Metrics["best until step 4"]);
            Assert.Equal(4, run.Series().Reports.Count);
            Assert.InRange(one.Trial.Get<double>("rate"), 1e-5, 1);
            Assert.InRange(one.Trial.Get<int>("width"), 2, 5);
        });
        Assert.Contains("trial  rate", result.ToString(), StringComparison.Ordinal);
        Assert.Equal(["trial", "rate", "width", "smoothing", "steps", "held-out loss", "status"], result.Table().Columns);
    }

    [Fact]
    public void A_search_goes_on_where_it_was_and_ends_with_the_same_numbers()
    {
        var whole = Search(6, name: "whole").Random(4);
        steps = 0;
        using var cancel = new CancellationTokenSource();
        var interrupted = Search(6);
        Assert.Throws<OperationCanceledException>(() => interrupted.Random(4, new Each(one =>
        {
            if (one.Trial.Number == 1) cancel.Cancel();
        }), cancel.Token));
        Assert.Equal(12, steps);
        var resumed = Search(6).Random(4);
        Assert.Equal(24, steps);   // no step twice
        Assert.Equal(whole.Trials.Select(one => (one.Trial.Number, one.Value)),
            resumed.Trials.Select(one => (one.Trial.Number, one.Value)));
        Assert.Contains("holds a trial with rate",
            Assert.Throws<InvalidDataException>(() => Search(6, seed: 4).Random(1)).Message,
            StringComparison.Ordinal);
    }

    private sealed class Each(Action<TrialResult> see) : IProgress<TrialResult>
    {
        public void Report(TrialResult value) => see(value);
    }

    [Fact]
    public void Successive_halving_gives_the_best_more_steps_and_takes_none_twice()
    {
        var result = Search(16, Metric.Accuracy).SuccessiveHalving(trials: 8, firstSteps: 4, factor: 2);
        Assert.Equal((8 * 4) + (4 * 4) + (2 * 8), steps);   // to step 4, 8 and 16
        Assert.Equal("accuracy", result.Measure);
        Assert.Equal([16, 16, 8, 8, 4, 4, 4, 4], result.Trials.Select(one => one.Steps));
        Assert.Equal("succeeded", result.Best.Status);
        Assert.True(result.Trials[0].Value >= result.Trials[1].Value);
        var before = steps;
        var again = Search(16, Metric.Accuracy).SuccessiveHalving(trials: 8, firstSteps: 4, factor: 2);
        Assert.Equal(before, steps);
        Assert.Equal(result.Trials.Select(one => one.Value), again.Trials.Select(one => one.Value));
    }

    [Fact]
    public void A_trial_that_diverges_has_failed_and_the_search_goes_on()
    {
        var search = new HyperparameterSearch(folder.PathTo("study"), Space, trial =>
        {
            var examples = new TensorExamples(ones(8, 3), ones(8, 1));
            var fails = trial.Number == 1;
            return new Trainer(nn.Linear(3, 1), Objective.Of((Tensor output, Tensor target) =>
                Losses.SquaredError(output, target) * (fails ? double.PositiveInfinity : 1), "points"),
                    new BatchLoader(examples, 4),
                new TrainerOptions { Steps = 3, WarmupSteps = 1 }, examples);
        });
        var result = search.Random(3);
        Assert.Equal(("failed", 1), (result.Trials[^1].Status, result.Trials[^1].Trial.Number));
        Assert.Contains("loss became", RunRecord.Read(result.Trials[^1].Trial.Folder).Runs[0].Error, StringComparison.Ordinal);
        Assert.Contains("writes no checkpoints",
            Assert.Throws<ArgumentException>(() => search.SuccessiveHalving(3, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ranges_that_hold_nothing_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SearchRange.Between(1, 1));
        Assert.Throws<ArgumentException>(() => SearchRange.LogBetween(0, 1));
        Assert.Throws<ArgumentException>(() => SearchRange.Whole(2, 1));
        Assert.Throws<ArgumentException>(() => SearchRange.OneOf());
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 300).Select(i => SearchRange.Whole(1, 3).At(i / 300.0)).Distinct());
    }
}
