using ResearchKit.Data;
using ResearchKit.Metrics;
using ResearchKit.Training;
using TorchSharp;
using TorchSharp.Modules;
using static ResearchKit.Tests.Training.ShortRuns;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>Objectives: means over what a loss counts, metrics beside it, batches of named tensors.</summary>
public sealed class ObjectiveTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private sealed class Given(params Batch[] batches) : IExamples
    {
        public long Count => batches.Length;

        public Batch Fetch(IReadOnlyList<long> numbers)
        {
            var batch = batches[(int)numbers[0]];
            return new Batch(batch.Names.ToDictionary(name => name, name => batch[name].clone()));
        }
    }

    private static Batch Of(params long[] targets) => new(ones(1, targets.Length, 3), tensor(targets).view(1, -1));

    private static BatchLoader Loader(params Batch[] batches) => new(new Given(batches), 1, seed: null);

    [Fact]
    public void An_accumulation_part_without_targets_has_no_weight()
    {
        using var model = new Table(3, 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(Of(0, 1), Of(-100, -100)), Sgd(1, accumulation: 2));
        Assert.Equal(Math.Log(4), trainer.Run().Single().Loss, 5);
    }

    [Fact]
    public void A_step_without_targets_changes_no_weight_and_the_run_continues()
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
    public void Evaluation_skips_batches_without_targets()
    {
        using var model = new Table(3, 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(Of(0, 1)), Sgd(1),
            new Given(Of(0, 1), Of(-100, -100), Of(2, 3)));
        Assert.Equal(Math.Log(4), trainer.Evaluate(), 5);
    }

    [Fact]
    public void Accumulated_parts_are_weighted_by_the_number_of_targets_that_the_loss_counts()
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
    public void Named_tensors_of_a_batch_reach_the_objective()
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
    public void Weighted_smoothed_and_focal_losses_equal_their_formulas()
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
    public void A_float64_model_can_be_trained()
    {
        using var model = new Table(3, 2);
        model.to(float64);
        var examples = new TensorExamples(randn(8, 3, float64), randint(0, 2, [8], int32));
        using var trainer = new Trainer(model, Objective.Classification, new BatchLoader(examples, 4), Sgd(3), examples);
        Assert.All(trainer.Run(), report => Assert.True(double.IsFinite(report.Loss)));
    }
}
