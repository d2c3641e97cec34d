using ResearchKit.Data;
using ResearchKit.Metrics;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using static ResearchKit.Tests.Training.ShortRuns;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>
/// Which evaluation is the best, which checkpoints and options are refused or doubted, and what callbacks change.
/// </summary>
public sealed class RunOptionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_metric_can_select_the_best_checkpoint_and_NaN_is_never_the_best()
    {
        using var folder = new TemporaryFolder();
        using var model = new Table(1, 1);
        var examples = new TensorExamples(ones(4, 1), ones(4, 1));
        double[] values = [0.3, 0.9, double.NaN, 0.5, 0.6];
        var evaluations = 0;
        var score = new Metric<Tensor>("score", "points", (_, _) => new(values[evaluations++]), state => state.Sums[0]);
        using var trainer = new Trainer(model, Objective.Of(Losses.SquaredError, "points", score), new BatchLoader(examples, 4),
            Sgd(5) with
            {
                EvaluationBatches = 1,
                BestBy = score,
                Patience = 3,
                Schedule = _ =>
                0.1,
                Checkpoints = new CheckpointOptions(folder.Path, 5)
            }, examples);
        Assert.Equal(5, trainer.Run().Count());
        Assert.Equal((2, 0.9), (trainer.Best.Step, trainer.Best.Value));
        Assert.True(trainer.StoppedEarly);
        Assert.Contains("best-00000002", Directory.GetDirectories(folder.Path).Select(Path.GetFileName));
        Assert.Contains("BestBy is score; the objective reports accuracy", Assert.Throws<ArgumentException>(() => new Trainer(
            model, Objective.Classification, new BatchLoader(examples, 4), Sgd(1) with { BestBy = score })).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void A_held_out_loss_of_NaN_is_never_the_best()
    {
        using var model = new Table(1, 1);
        var examples = new TensorExamples(ones(4, 1), ones(4, 1));
        double[] losses = [3, 1, double.NaN, 2, 2.5, 2.6];
        var evaluations = 0;
        Tensor Scripted(Tensor output, Tensor targets) =>
            model.training ? (output - targets).square().mean() : (output.sum() * 0) + losses[evaluations++];
        using var trainer = new Trainer(model, Scripted, new BatchLoader(examples, 4),
            Sgd(6) with { EvaluationBatches = 1, Patience = 3, Schedule = _ => 0.1 }, examples);
        Assert.Equal(5, trainer.Run().Count());
        Assert.Equal((2, 1.0), (trainer.Best.Step, trainer.Best.Loss));
    }

    [Fact]
    public void A_checkpoint_of_a_different_run_is_refused_with_the_difference()
    {
        using var folder = new TemporaryFolder();
        using var model = new Table(3, 2);
        var examples = new TensorExamples(randn(16, 3), randint(0, 2, [16], int64));
        Trainer With(TrainerOptions options, int batchSize = 4, int seed = 1, IExamples? data = null) =>
            new(model, Losses.CrossEntropy, new BatchLoader(data ?? examples, batchSize, seed), options);
        var options = Sgd(2) with { Checkpoints = new CheckpointOptions(folder.Path) };
        using (var first = With(options)) first.Fit();
        string Refusal(Trainer other)
        {
            using (other) return Assert.Throws<InvalidDataException>(() => other.Resume(folder.Path)).Message;
        }
        Assert.Contains("its optimizer is FusedSgd, this trainer's Lion",
            Refusal(With(options with { Optimizer = parameters => new Lion(parameters) })), StringComparison.Ordinal);
        Assert.Contains("its batch size is 4, this trainer's 8", Refusal(With(options, batchSize: 8)), StringComparison.Ordinal);
        Assert.Contains("its seed of the loader is 1, this trainer's 2", Refusal(With(options, seed: 2)),
            StringComparison.Ordinal);
        Assert.Contains("its examples differ", Refusal(With(options, data: new TensorExamples(randn(16, 3), zeros([16], int64)))),
            StringComparison.Ordinal);
        using var again = With(options with { Steps = 4 });
        Assert.True(again.TryResume(folder.Path));
        Assert.Equal(2, again.Step);
        using var nowhere = new TemporaryFolder();
        Assert.False(again.TryResume(nowhere.Path));
        using var other = With(options, batchSize: 8);
        other.Resume(folder.Path, otherRun: true);
        Assert.Equal(2, other.Step);
    }

    [Fact]
    public void Questionable_options_give_warnings()
    {
        using var model = new Table(3, 2);
        var loader = new BatchLoader(new TensorExamples(randn(16, 3), zeros([16], int64)), 4);
        IReadOnlyList<string> Warnings(TrainerOptions options)
        {
            using var trainer = new Trainer(model, Losses.CrossEntropy, loader, options);
            return trainer.Warnings;
        }
        Assert.Contains("warm-up of 100 steps", Assert.Single(Warnings(new() { Steps = 50 })), StringComparison.Ordinal);
        Assert.Contains("0 after step 10 of 50",
            Assert.Single(Warnings(new() { Steps = 50, Schedule = step => step > 10 ? 0 : 1 })), StringComparison.Ordinal);
        Assert.Contains("0.5, which is not used", Assert.Single(Warnings(new()
        {
            Optimizer = parameters => new FusedSgd(parameters, new FusedSgdOptions { LearningRate = 0.5 }),
        })), StringComparison.Ordinal);
        Assert.Empty(Warnings(new()
        {
            Optimizer = parameters =>
            new FusedSgd(parameters, new FusedSgdOptions { LearningRate = 0.5 }),
            LearningRate = 0.5
        }));
        Assert.Empty(Warnings(new()));
        Assert.Empty(Warnings(new() { Steps = 5, WarmupSteps = 0 }));   // the schedule begins below the rate that was asked for
    }

    private sealed class StopAt(int step) : TrainingCallback
    {
        public override void StepEnds(Trainer trainer, StepReport report)
        {
            if (report.Step == step) trainer.Stop();
        }
    }

    [Fact]
    public void A_callback_can_stop_a_run_and_freeze_parameters()
    {
        using var model = new Table(3, 2);
        var loader = new BatchLoader(new TensorExamples(randn(16, 3), randint(0, 2, [16], int64)), 4);
        var options = new TrainerOptions
        {
            Steps = 6,
            WarmupSteps = 1,
            Callbacks = [new GradualUnfreezing(("layer.bias", 1), ("", 4)), new StopAt(5)]
        };
        using var trainer = new Trainer(model, Losses.CrossEntropy, loader, options);
        var before = model.state_dict()["layer.weight"].clone();
        foreach (var report in trainer.Run())
            Assert.Equal(report.Step < 4, before.Equals(model.state_dict()["layer.weight"]));
        Assert.Equal(5, trainer.Step);
        Assert.Single(trainer.Run());
    }
}
