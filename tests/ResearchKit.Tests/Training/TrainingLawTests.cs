using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Optimizers;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>What holds of every run: a sum of small batches is the large batch, an average is an average, and so on.</summary>
public sealed class TrainingLawTests
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Accumulated_gradients_equal_those_of_the_large_batch(int parts)
    {
        float[] Train(int batchSize, int accumulation)
        {
            using var model = Model();
            using var trainer = new Trainer(model, Losses.CrossEntropy, new BatchLoader(new Gaps(Text), batchSize, seed: 5),
                new TrainerOptions
                {
                    Steps = 3,
                    WarmupSteps = 1,
                    EvaluateEvery = null,
                    Accumulation = accumulation,
                    Optimizer = Sgd
                });
            Assert.All(trainer.Run(), report => Assert.True(report.Loss > 0));
            return Weights(model);
        }
        Near(Train(8, 1), Train(8 / parts, parts), 2e-6);   // float32, in another order of additions
    }

    [Fact]
    public void The_averaged_weights_are_evaluated_and_the_trained_weights_stay_unchanged()
    {
        using var model = Model();
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(),
            new TrainerOptions { Steps = 4, WarmupSteps = 1, EvaluateEvery = null, AverageDecay = 0.75, Optimizer = Sgd },
            new TextWindows(Text, 16, 5));
        var expected = Weights(model).Select(value => (double)value).ToArray();
        foreach (var _ in trainer.Run())
        {
            var now = Weights(model);
            for (var i = 0; i < expected.Length; i++) expected[i] = (0.75 * expected[i]) + (0.25 * now[i]);
        }
        var (before, plain) = (Weights(model), Loss(model));
        using (trainer.UseEvaluationWeights()) Near([.. expected.Select(value => (float)value)], Weights(model), 1e-6);
        Assert.Equal(before, Weights(model));
        Assert.NotEqual(plain, trainer.Evaluate());
        Assert.Equal(plain, Loss(model));

        double Loss(Gpt one)
        {
            using var other = new Trainer(one, Losses.CrossEntropy, Loader(), new TrainerOptions(), new TextWindows(Text, 16, 5));
            return other.Evaluate();
        }
    }

    [Fact]
    public void Bfloat16_computes_products_in_16_bits_and_keeps_weights_gradients_and_loss_in_32()
    {
        if (!Autocast.IsSupported) return;   // its workaround is switched off
        using var scope = NewDisposeScope();
        var dtypes = new List<ScalarType>();
        using var model = Model();
        using var trainer = new Trainer(model, (logits, targets) =>
        {
            dtypes.Add(logits.dtype);
            return Losses.CrossEntropy(logits, targets);
        }, Loader(), new TrainerOptions
        {
            Steps = 40,
            WarmupSteps = 5,
            LearningRate = 5e-3,
            EvaluateEvery = null,
            Precision = Precision.BFloat16
        });
        using var plainModel = Model();
        using var plain = new Trainer(plainModel, Losses.CrossEntropy, Loader(),
            new TrainerOptions { Steps = 40, WarmupSteps = 5, LearningRate = 5e-3, EvaluateEvery = null });
        var (mixed, full) = (trainer.Run().Select(report => report.Loss).ToList(),
            plain.Run().Select(report => report.Loss).ToList());
        Assert.All(dtypes, dtype => Assert.Equal(ScalarType.Float32, dtype));
        Assert.All(model.parameters(), parameter =>
            Assert.True(parameter.dtype == ScalarType.Float32 && parameter.grad!.dtype == ScalarType.Float32));
        Assert.NotEqual(full[0], mixed[0]);
        Assert.Equal(full[0], mixed[0], full[0] * 0.01);
        Assert.Equal(full[^1], mixed[^1], full[^1] * 0.05);
        // outside of the trainer nothing has changed
        Assert.Equal(ScalarType.Float32, model.call(tensor(Text[..16]).view(1, 16)).dtype);
    }

    [Fact]
    public void Patience_stops_a_run_that_no_longer_improves()
    {
        using var model = Model();
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(),
            new TrainerOptions { Steps = 200, Schedule = _ => 1e-12, EvaluateEvery = 2, Patience = 3, Optimizer = Sgd },
            new TextWindows(Text, 16, 5));
        var reports = trainer.Run().ToList();
        Assert.True(trainer.StoppedEarly);
        Assert.InRange(reports.Count, 6, 100);
        Assert.Equal(3, trainer.Best.Since);
        Assert.Empty(trainer.Run());
    }

    [Fact]
    public void Norms_of_each_module_are_reported_at_the_configured_interval()
    {
        using var model = Model();
        using var trainer = new Trainer(model, Losses.CrossEntropy, Loader(),
            new TrainerOptions { Steps = 4, EvaluateEvery = null, NormsEvery = 2 });
        var reports = trainer.Run().ToList();
        Assert.Equal([2, 4], reports.Where(report => report.Norms is not null).Select(report => report.Step));
        var norms = reports[3].Norms!;
        Assert.Equal(reports[3].GradientNorm, Math.Sqrt(norms.Sum(one => one.Gradient * one.Gradient ?? 0)), tolerance: 1e-4);
        Assert.Contains(norms, one => one.Module == "transformer.h.0" || one.Module == "h.0" && one.Activation > 0);
    }

    [Fact]
    public void The_error_names_the_first_module_with_an_output_that_is_not_finite()
    {
        using var model = new Broken();
        var data = new TensorExamples(ones(8, 3), ones(8, 2));
        using var trainer = new Trainer(model, (y, target) =>
            (y - target).square().mean(), new BatchLoader(data, 4), new TrainerOptions { EvaluateEvery = null, WarmupSteps = 1 });
        var error = Assert.Throws<ArithmeticException>(() => trainer.Run().Count());
        Assert.Contains("The first module to give NaN is root, from an input that is finite", error.Message,
            StringComparison.Ordinal);

        using var gpt = Model();
        using (no_grad())
            gpt.named_parameters()
                .First(pair => pair.name.EndsWith("h.1.ln_1.weight", StringComparison.Ordinal)).parameter.fill_(float.NaN);
        using var other = new Trainer(gpt, Losses.CrossEntropy, Loader(), new TrainerOptions { EvaluateEvery = null });
        Assert.Contains("h.1.ln_1.weight holds NaN", Assert.Throws<ArithmeticException>(() => other.Run().Count()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_learning_rate_sweep_and_an_overfit_check_do_not_change_the_model()
    {
        using var model = Model();
        var before = Weights(model);
        var loader = Loader();
        var sweep = LearningRateSweep.Try(model, (logits, targets) =>
            Losses.CrossEntropy(logits, targets), loader, new TrainerOptions(), 1e-5, 10, 60);
        Assert.Equal(before, Weights(model));
        Assert.Equal(default, loader.Position);
        Assert.InRange(sweep.Steepest, 1e-4, 1);
        var one = OverfitCheck.Try(model, (logits, targets) =>
            Losses.CrossEntropy(logits, targets), new TextWindows(Text, 16), 4, 200, 1e-2);
        Assert.True(one.Passed, one.ToString());
        Assert.Equal(before, Weights(model));
        Assert.False(OverfitCheck.Try(model, (logits, targets) =>
            Losses.CrossEntropy(logits, targets), new TextWindows(Text, 16), 4, 5, 1e-9).Passed);
    }

    [Fact]
    public void Invalid_losses_and_models_are_refused()
    {
        using var model = Model();
        string Message(Func<Tensor, Tensor, Tensor> loss)
        {
            using var trainer = new Trainer(model, loss, Loader(), new TrainerOptions { EvaluateEvery = null });
            return Assert.ThrowsAny<ArgumentException>(() => trainer.Run().Count()).Message;
        }
        Assert.Contains("[4, 16, 65]", Message((logits, _) => logits), StringComparison.Ordinal);
        Assert.Contains("does not depend", Message((_, targets) => targets.to(float32).mean()), StringComparison.Ordinal);
        Assert.Contains("65 classes", Message((logits, targets) => Losses.CrossEntropy(logits, targets + 10)),
            StringComparison.Ordinal);
        using var identity = nn.Identity();
        Assert.Contains("no parameter",
            Assert.Throws<ArgumentException>(() =>
            new Trainer(identity, Losses.CrossEntropy, Loader(), new TrainerOptions())).Message, StringComparison.Ordinal);
        Assert.Contains("0 examples",
            Assert.Throws<ArgumentException>(() => new BatchLoader(new TensorExamples(zeros(0, 3), zeros(0)), 4)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(new TextWindows(Text, 16), 0));
    }

    [Fact]
    public void The_loss_scale_halves_on_overflow_and_doubles_after_2000_finite_steps()
    {
        var scale = new LossScale();
        scale.Note(finite: false);
        Assert.Equal(32768, scale.Value);
        for (var step = 0; step < 2000; step++) scale.Note(finite: true);
        Assert.Equal((65536, 0), (scale.Value, scale.Good));
    }

    [Fact]
    public void The_shares_of_a_loader_together_are_its_batches()
    {
        static List<long[]> Batches(int size, int share, int shares)
        {
            var loader = new BatchLoader(new Numbers(22), size, seed: 3, share: share, shares: shares);
            return [.. loader.Batches().Take(7).Select(batch =>
            {
                using (batch) return batch.Inputs.data<long>().ToArray();
            })];
        }
        var whole = Batches(4, 0, 1);
        var (left, right) = (Batches(2, 0, 2), Batches(2, 1, 2));
        Assert.Equal(whole, left.Zip(right, (a, b) => (long[])[.. a, .. b]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(new Numbers(22), 2, share: 2, shares: 2));
        Assert.Contains("24",
            Assert.Throws<ArgumentException>(() => new BatchLoader(new Numbers(22), 12, share: 1, shares: 2)).Message,
            StringComparison.Ordinal);
    }

    private static TorchOptimizer Sgd(IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> parameters) =>
        new TorchOptimizer(optim.SGD(parameters.Select(pair => pair.Parameter), 0.1));

    private static Gpt Model()
    {
        Compute.Seed(3);
        return new Gpt(GptConfig.Nano with { Dropout = 0 });
    }

    private static BatchLoader Loader() => new(new TextWindows(Text, 16), 4);

    private static float[] Weights(nn.Module model) =>
        [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    private static void Near(float[] expected, float[] actual, double tolerance)
    {
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"off by {worst}");
    }

    /// <summary>Windows of which every third target does not count, in ever more places.</summary>
    private sealed class Gaps(long[] text) : IExamples
    {
        private readonly TextWindows windows = new(text, 16);

        public long Count => windows.Count;

        public Batch Fetch(IReadOnlyList<long> numbers)
        {
            var batch = windows.Fetch(numbers);
            for (var row = 0; row < numbers.Count; row++)
                using (var some = batch.Targets[row, ..(int)(numbers[row] % 13)]) some.fill_(-100);
            return batch;
        }
    }

    private sealed class Numbers(int count) : IExamples
    {
        public long Count => count;

        public Batch Fetch(IReadOnlyList<long> numbers) => new(tensor(numbers.ToArray()), tensor(numbers.ToArray()));
    }

    /// <summary>The root of a negative number, between two good layers.</summary>
    private sealed class Broken : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear first = nn.Linear(3, 3), last = nn.Linear(3, 2);
        private readonly Root root = new();

        public Broken() : base(nameof(Broken)) => RegisterComponents();

        public override Tensor forward(Tensor x) => last.call(root.call(-first.call(x).abs() - 1));

        private sealed class Root() : nn.Module<Tensor, Tensor>(nameof(Root))
        {
            public override Tensor forward(Tensor x) => x.sqrt();
        }
    }
}
