using ResearchKit.Data;
using ResearchKit.Metrics;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>Objectives: means over what a loss counts, metrics beside it, batches of named tensors.</summary>
public sealed class ObjectiveTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private sealed class Table : nn.Module<Tensor, Tensor>
    {
        private readonly Linear layer;

        public Table(int inputs, int outputs) : base(nameof(Table))
        {
            layer = nn.Linear(inputs, outputs);
            using (no_grad())
            {
                layer.weight.fill_(0.1f);
                layer.bias!.zero_();
            }
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => layer.call(x);
    }

    private sealed class Given(params Batch[] batches) : IExamples
    {
        public long Count => batches.Length;

        public Batch Fetch(IReadOnlyList<long> numbers)
        {
            var batch = batches[(int)numbers[0]];
            return new Batch(batch.Names.ToDictionary(name => name, name => batch[name].clone()));
        }
    }

    private static TrainerOptions Sgd(int steps, int accumulation = 1) => new()
    {
        Steps = steps,
        Accumulation = accumulation,
        EvaluateEvery = 1,
        GradientClip = null,
        Schedule = _ => 1,
        Optimizer = parameters => new FusedSgd(parameters),
    };

    private static Batch Of(params long[] targets) => new(ones(1, targets.Length, 3), tensor(targets).view(1, -1));

    private static BatchLoader Loader(params Batch[] batches) => new(new Given(batches), 1, seed: null);

    [Fact]
    public void A_part_without_targets_weighs_nothing()
    {
        using var model = new Table(3, 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(Of(0, 1), Of(-100, -100)), Sgd(1, accumulation: 2));
        Assert.Equal(Math.Log(4), trainer.Run().Single().Loss, 5);
    }

    [Fact]
    public void A_step_without_targets_changes_no_weight_and_the_run_goes_on()
    {
        using var model = new Table(3, 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(Of(0, 1), Of(-100, -100), Of(0, 1)), Sgd(3));
        var before = Array.Empty<float>();
        var losses = new List<double>();
        foreach (var report in trainer.Run())
        {
            losses.Add(report.Loss);
            var weights = model.parameters().SelectMany(parameter => parameter.data<float>().ToArray()).ToArray();
            if (report.Step == 2) Assert.Equal(before, weights);
            before = weights;
        }
        Assert.True(double.IsFinite(losses[0]) && double.IsNaN(losses[1]) && losses[2] < losses[0]);
    }

    [Fact]
    public void An_evaluation_leaves_out_batches_without_targets()
    {
        using var model = new Table(3, 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(Of(0, 1)), Sgd(1),
            new Given(Of(0, 1), Of(-100, -100), Of(2, 3)));
        Assert.Equal(Math.Log(4), trainer.Evaluate(), 5);
    }

    [Fact]
    public void Accumulated_parts_weigh_what_the_loss_counts()
    {
        // The next-token loss counts 1 and 8 targets, not the 2 and 9 tokens of the parts.
        static float[] Moved(int accumulation, params Batch[] batches)
        {
            manual_seed(1);
            using var model = new Embedded();
            using var trainer = new Trainer(model, Losses.NextToken, Loader(batches), Sgd(1, accumulation));
            trainer.Fit();
            return model.parameters().Single().data<float>().ToArray();
        }
        long[] little = [1, 2], much = [1, 3, 4, 5, 3, 4, 5, 3, 4];
        static Batch Tokens(params long[][] rows)
        {
            var time = rows.Max(row => row.Length);
            var ids = rows.SelectMany(row => row.Concat(Enumerable.Repeat(0L, time - row.Length))).ToArray();
            var targets = rows.SelectMany(row => row.Concat(Enumerable.Repeat(-100L, time - row.Length))).ToArray();
            return new(tensor(ids).view(rows.Length, time), tensor(targets).view(rows.Length, time));
        }
        var parts = Moved(2, Tokens(little), Tokens(much));
        var whole = Moved(1, Tokens(little, much));
        for (var i = 0; i < parts.Length; i++) Assert.Equal(whole[i], parts[i], 6);
    }

    private sealed class Embedded : nn.Module<Tensor, Tensor>
    {
        private readonly Embedding table = nn.Embedding(6, 6);

        public Embedded() : base(nameof(Embedded)) => RegisterComponents();

        public override Tensor forward(Tensor tokens) => table.call(tokens);
    }

    [Fact]
    public void Any_tensors_reach_the_objective_by_name()
    {
        using var model = new Table(3, 2);
        var examples = new TensorExamples(new Dictionary<string, Tensor>
        {
            ["inputs"] = randn(8, 5, 3),
            ["lengths"] = tensor(new long[] { 5, 4, 3, 2, 1, 5, 4, 3 }),
            ["targets"] = tensor(new long[] { 0, 1, 0, 1, 0, 1, 0, 1 }),
        });
        var objective = new Objective(batch =>
        {
            var mask = arange(5).unsqueeze(0).lt(batch["lengths"].unsqueeze(1)).unsqueeze(-1);
            var logits = model.call((batch.Inputs * mask).sum(1));
            return new Outcome(Losses.CrossEntropy(logits, batch.Targets), logits);
        }, "nats per clip", Metric.Accuracy, Metric.F1(2));
        using var trainer = new Trainer(model, objective, new BatchLoader(examples, 4), Sgd(2), examples);
        var report = trainer.Run().Last();
        Assert.Equal("nats per clip", report.LossUnit);
        Assert.Equal(["accuracy", "F1 (macro)"], report.Metrics!.Select(metric => metric.Name));
        Assert.Equal("nats per clip", trainer.History().LossUnit);
        Assert.Contains("'length'; it has inputs, lengths, targets",
            Assert.Throws<KeyNotFoundException>(() => examples.Fetch([0])["length"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_are_exact_over_uneven_batches()
    {
        using var model = new Table(3, 2);
        var examples = new TensorExamples(randn(7, 3), randint(0, 2, [7], int64));
        using var trainer = new Trainer(model, Objective.Classification, new BatchLoader(examples, 3), Sgd(1), examples);
        using (no_grad())
        {
            var all = examples.Fetch([0, 1, 2, 3, 4, 5, 6]);
            Assert.Equal(Metric.Accuracy.Of(model.call(all.Inputs), all.Targets), trainer.EvaluateAll()["accuracy"].Value, 12);
            Assert.Equal(nn.functional.cross_entropy(model.call(all.Inputs), all.Targets).item<float>(),
                trainer.EvaluateAll().Loss, 6);
        }
    }

    [Fact]
    public void A_metric_can_choose_the_best_checkpoint_and_NaN_never_does()
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
    public void Weighted_smoothed_and_focal_losses_are_those_of_their_formulas()
    {
        manual_seed(3);
        var (logits, targets, weights) = (randn(6, 3), tensor(new long[] { 0, 1, 2, -100, 1, 0 }), tensor(new[] { 1f, 2, 3 }));
        var loss = Losses.WeightedCrossEntropy(weights, 0.1)(logits, targets);
        Assert.Equal(nn.functional.cross_entropy(logits, targets, weights, label_smoothing: 0.1).item<float>(),
            loss.item<float>(), 6);
        Assert.Equal(1 + 2 + 3 + 2 + 1, loss.Count.item<float>());
        Assert.Equal(Losses.CrossEntropy(logits, targets).item<float>(), Losses.Focal(gamma: 0)(logits, targets).item<float>(),
            5);
        var p = logits.softmax(1)[0, 0].item<float>();
        Assert.Equal(-Math.Pow(1 - p, 2) * Math.Log(p), Losses.Focal()(logits[..1], targets[..1]).item<float>(), 5);
    }

    [Fact]
    public void A_float64_model_trains()
    {
        using var model = new Table(3, 2);
        model.to(float64);
        var examples = new TensorExamples(randn(8, 3, float64), randint(0, 2, [8], int32));
        using var trainer = new Trainer(model, Objective.Classification, new BatchLoader(examples, 4), Sgd(3), examples);
        Assert.All(trainer.Run(), report => Assert.True(double.IsFinite(report.Loss)));
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused_by_name()
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
    public void Options_that_are_probably_not_meant_are_said_at_the_start()
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
