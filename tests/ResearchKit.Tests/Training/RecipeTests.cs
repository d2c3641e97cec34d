using ResearchKit.Data;
using ResearchKit.Metrics;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Distributed;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>Recipes: mixed examples, noise of the gradient, accumulation to a number of targets, parts in turns.</summary>
public sealed class RecipeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Soft_targets_of_one_class_give_the_cross_entropy()
    {
        manual_seed(1);
        var (logits, classes) = (randn(6, 4), tensor(new long[] { 0, 1, 2, 3, 1, 0 }));
        var hard = Losses.CrossEntropy(logits, classes);
        var soft = Losses.CrossEntropy(logits, nn.functional.one_hot(classes, 4).to(float32));
        Assert.Equal(hard.item<float>(), soft.item<float>(), 6);
        Assert.Equal(6, soft.Count.ToInt64());
        Assert.Contains("expected a share of each class",
            Assert.Throws<ArgumentException>(() => Losses.SoftCrossEntropy(logits, classes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mixup_mixes_inputs_and_targets_in_the_same_shares()
    {
        manual_seed(2);
        var classes = tensor(new long[] { 0, 1, 2, 3, 4 });
        using var batch = new Batch(nn.functional.one_hot(classes, 5).to(float32), classes);   // the input tells the class
        var mix = Mixing.Mixup(5, alpha: 1);
        var shares = Enumerable.Range(0, 20).Select(_ =>
        {
            using var mixed = mix(batch);
            Assert.True(allclose(mixed.Inputs, mixed.Targets, atol: 1e-6));
            Assert.True(allclose(mixed.Targets.sum(dim: 1), ones(5)));
            return mixed.Targets.max().item<float>();
        }).ToList();
        Assert.True(shares.Distinct().Count() > 4);
        Assert.Equal([0, 1, 2, 3, 4], batch.Targets.data<long>().ToArray());   // the batch itself stays
    }

    [Fact]
    public void CutMix_replaces_a_rectangle_and_weighs_by_its_area()
    {
        manual_seed(3);
        var classes = tensor(new long[] { 0, 1, 2 });
        using var batch = new Batch(classes.to(float32).view(3, 1, 1, 1).expand(3, 2, 8, 10).contiguous(), classes);
        var cut = Mixing.CutMix(3);
        for (var time = 0; time < 20; time++)
        {
            using var mixed = cut(batch);
            for (var example = 0; example < 3; example++)
                for (var label = 0; label < 3; label++)
                    Assert.Equal(mixed.Inputs[example].eq(label).to(float32).mean().item<float>(),
                        mixed.Targets[example, label].item<float>(), 5);
        }
        using var flat = new Batch(zeros(3, 4), classes);
        Assert.Contains("CutMix takes images", Assert.Throws<ArgumentException>(() => cut(flat)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_batches_reaches_training_alone()
    {
        var (training, evaluated) = (0, 0);
        using var model = nn.Linear(3, 2);
        var objective = new Objective(batch =>
        {
            if (batch.Targets.is_floating_point()) training++;
            else evaluated++;
            var logits = model.call(batch.Inputs);
            return new Outcome(Losses.CrossEntropy(logits, batch.Targets), logits);
        }, "nats per example", Metric.Accuracy).WithTraining(Mixing.Mixup(2));
        var examples = new TensorExamples(randn(16, 3), randint(0, 2, [16], int64));
        using var trainer = new Trainer(model, objective, new BatchLoader(examples, 4),
            new TrainerOptions { Steps = 4, WarmupSteps = 1, EvaluateEvery = 4 }, examples);
        Assert.Equal("nats per example", trainer.Fit().LossUnit);
        Assert.Equal((4, 4), (training, evaluated));
    }

    /// <summary>
    /// Gradients of a mean of independent vectors: the true gradient is 1 in each of 4 axes, the noise has variance 9.
    /// </summary>
    private sealed class Noisy : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight = new(zeros(4));

        public Noisy() : base(nameof(Noisy)) => RegisterComponents();

        public override Tensor forward(Tensor x) => (x * weight).sum(dim: 1);
    }

    private static TrainerOptions Still(int steps) => new()
    {
        Steps = steps,
        Schedule = _ => 0,
        GradientClip = null,
        EvaluateEvery = null,
        MeasuresNoise = true,
        Optimizer = parameters => new FusedSgd(parameters),
    };

    private static TensorExamples Noise()
    {
        manual_seed(4);
        return new(1 + (3 * randn(4000, 4)), zeros(4000));
    }

    [Fact]
    public void The_noise_scale_is_the_ratio_of_variance_and_squared_norm()
    {
        using var trainer = new Trainer(new Noisy(), (output, _) => Loss.Of(output), new BatchLoader(Noise(), 10),
            Still(400) with { Accumulation = 8 });
        var history = trainer.Fit();
        Assert.Equal(9.0, history.NoiseScale(400), tolerance: 2);   // tr Σ / |G|² = 4 · 9 / 4
        Assert.True(double.IsNaN((history with { Reports = [] }).NoiseScale()));
        Assert.Contains("MeasuresNoise needs", Assert.Throws<ArgumentException>(() => new Trainer(new Noisy(),
            (output, _) => Loss.Of(output), new BatchLoader(Noise(), 10), Still(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_noise_is_measured_between_ranks_too()
    {
        var scales = ThreadWorkers.Run(4, workers =>
        {
            using var own = NewDisposeScope();
            using var trainer = new Trainer(new Noisy(), (output, _) => Loss.Of(output),
                new BatchLoader(new Fixed(), 10, share: workers.Rank, shares: 4), Still(150) with { Workers = workers });
            return trainer.Fit().NoiseScale();
        });
        Assert.All(scales, scale => Assert.Equal(scales[0], scale, 9));
        Assert.Equal(9.0, scales[0], tolerance: 3);
    }

    /// <summary>The same examples in every thread.</summary>
    private sealed class Fixed : IExamples
    {
        private readonly float[] values = [.. Enumerable.Range(0, 16000).Select(new Func<int, float>(Normal))];

        public long Count => 4000;

        public Batch Fetch(IReadOnlyList<long> numbers) => new(
            tensor(numbers.SelectMany(number => values.Skip((int)number * 4).Take(4)).ToArray()).view(numbers.Count, 4),
            zeros(numbers.Count));

        private static float Normal(int number)
        {
            var random = new Random(number);
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));   // Box and Muller
            return (float)(1 + (3 * radius * Math.Cos(2 * Math.PI * random.NextDouble())));
        }
    }

    private sealed class Lengths : IExamples
    {
        public long Count => 12;

        public Batch Fetch(IReadOnlyList<long> numbers)
        {
            var length = (int)(numbers[0] % 4) + 1;   // 1, 2, 3, 4, 1, …
            return new(ones(1, 5, 3), tensor(Enumerable.Range(0, 5).Select(i => i < length ? 1L : -100L).ToArray()).view(1, 5));
        }
    }

    [Fact]
    public void Accumulation_goes_on_to_a_number_of_targets()
    {
        using var model = nn.Linear(3, 2);
        var batches = 0;
        var objective = new Objective(batch =>
        {
            batches++;
            return Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        });
        using var trainer = new Trainer(model, objective, new BatchLoader(new Lengths(), 1, seed: null),
            new TrainerOptions { Steps = 3, WarmupSteps = 1, EvaluateEvery = null, AccumulationTargets = 6 });
        var taken = trainer.Run().Select(_ => batches).ToList();
        Assert.Equal([3, 6, 8], taken);   // 1 + 2 + 3, 4 + 1 + 2, 3 + 4
    }

    private sealed class Pair : nn.Module
    {
        public readonly Linear generator = nn.Linear(2, 2), discriminator = nn.Linear(2, 1);

        public Pair() : base(nameof(Pair)) => RegisterComponents();
    }

    [Fact]
    public void Parts_train_in_turns_each_with_its_optimizer_and_resume_to_the_same_bits()
    {
        using var folder = new TemporaryFolder();
        float[] Trained(int stop, bool resumes, out List<string> turns)
        {
            manual_seed(7);
            using var pair = new Pair();
            var order = new Turns(("discriminator.", 2), ("generator.", 1));
            var seen = turns = [];
            var objective = new Objective(batch =>
            {
                seen.Add(order.Now);
                var judged = pair.discriminator.call(pair.generator.call(batch.Inputs)).squeeze(1);
                return Loss.Of(order.Now == "generator." ? -judged : judged + judged.square());
            });
            using var trainer = new Trainer(pair, objective, new BatchLoader(new Twos(), 4, 1), new TrainerOptions
            {
                Steps = 9,
                WarmupSteps = 1,
                LearningRate = 0.1,
                EvaluateEvery = null,
                Callbacks = [order],
                Checkpoints = new CheckpointOptions(folder.Path, 4),
                Optimizer = parameters => new CombinedOptimizer(parameters,
                    new OptimizerPart("generator.", own => new FusedAdamW(own)),
                    new OptimizerPart("discriminator.", own => new FusedSgd(own), 2)),
            });
            if (resumes) trainer.Resume(folder.Path);
            var before = pair.generator.weight.clone();
            foreach (var report in trainer.Run())
            {
                Assert.Equal(report.Step % 3 != 0, before.Equals(pair.generator.weight));
                Assert.All(pair.parameters(), parameter => Assert.True(parameter.requires_grad));
                before = pair.generator.weight.clone();
                if (report.Step == stop) break;
            }
            return [.. pair.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];
        }
        var whole = Trained(9, resumes: false, out var all);
        Assert.Equal(["discriminator.", "discriminator.", "generator."], all[..3]);
        Directory.Delete(folder.Path, recursive: true);
        Trained(6, resumes: false, out _);
        var resumed = Trained(9, resumes: true, out var rest);
        Assert.Equal(all[4..], rest);
        Assert.Equal(whole, resumed);
    }

    private sealed class Twos : IExamples
    {
        public long Count => 16;

        public Batch Fetch(IReadOnlyList<long> numbers) =>
            new(tensor(numbers.SelectMany(number => new[] { number / 8f, 1 - (number / 16f) }).ToArray()).view(-1, 2),
                zeros(numbers.Count));
    }

    [Fact]
    public void Parts_that_do_not_fit_the_parameters_are_named()
    {
        using var pair = new Pair();
        var parameters = pair.named_parameters().Select(one => (one.name, one.parameter)).ToList();
        Assert.Contains("generator.weight belongs to no part", Assert.Throws<ArgumentException>(() => new CombinedOptimizer(
            parameters, new OptimizerPart("discriminator.", own => new FusedSgd(own)))).Message, StringComparison.Ordinal);
        Assert.Contains("begins with 'critic.'", Assert.Throws<ArgumentException>(() => new CombinedOptimizer(
            parameters, new OptimizerPart("critic.", own => new FusedSgd(own)))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Turns(("generator.", 1)));
        Assert.Throws<ArgumentException>(() => new Turns(("generator.", 1), ("discriminator.", 0)));
    }
}
