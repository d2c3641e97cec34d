using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];
    private readonly string folder = Directory.CreateTempSubdirectory("trainer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_loss_falls_on_one_batch_and_the_reports_show_it()
    {
        using var model = Model();
        var one = new BatchLoader(new TextWindows(Text[..65], 16), 4);
        using var trainer = new Trainer(model, Losses.CrossEntropy, one,
            new TrainerOptions { Steps = 60, WarmupSteps = 5, LearningRate = 1e-2, EvaluateEvery = null });
        var reports = trainer.Run().ToList();
        Assert.Equal(Math.Log(65), reports[0].Loss, 0.2);
        Assert.True(reports[^1].Loss < 1, $"{reports[^1].Loss}");
        Assert.Equal(Enumerable.Range(1, 60), reports.Select(report => report.Step));
        Assert.All(reports, report =>
            Assert.True(report is { GradientNorm: > 0, TokensPerSecond: > 0, Steps: 60, HeldOutLoss: null }));
        Assert.Equal(1e-2, reports.Max(report => report.LearningRate), 9);
        Assert.Equal(60, trainer.History().Reports.Count);
    }

    [Fact]
    public void FLOPs_are_counted_unless_they_are_given_and_estimated_if_no_layer_is_counted()
    {
        var options = new TrainerOptions { Steps = 2, EvaluateEvery = null };
        using var model = Model();
        using var window = zeros([1, 16], int64);
        var forward = FlopCounter.Of(model, () => model.call(window));
        double Operations(nn.Module<Tensor, Tensor> of, TrainerOptions how)
        {
            using var trainer = Make(of, how);
            return trainer.Run().Select(report => report.OperationsPerTarget).Distinct().Single();
        }
        Assert.Equal(3 * forward / 16, Operations(model, options), tolerance: 1e-3);
        Assert.Equal(3 * forward / 16, Operations(model, options with { Accumulation = 2 }), tolerance: 1e-3);
        Assert.Equal(5, Operations(model, options with { OperationsPerTarget = 5 }));
        model.RecomputesBlocks = true;   // what is computed a second time is no work for the model
        Assert.Equal(3 * forward / 16, Operations(model, options), tolerance: 1e-3);
        using var table = nn.Embedding(65, 65);
        Assert.Equal(6 * 65 * 65, Operations(table, options));
    }

    [Fact]
    public void Held_out_loss_is_measured_before_during_and_after()
    {
        using var model = Model();
        using var trainer = Make(model,
            new TrainerOptions { Steps = 25, EvaluateEvery = 10, EvaluationBatches = 3, LearningRate = 3e-3, WarmupSteps = 2 });
        var before = trainer.Evaluate();
        var steps = trainer.Run().Where(report => report.HeldOutLoss is not null).ToList();
        Assert.Equal([10, 20, 25], steps.Select(report => report.Step));
        Assert.Equal(trainer.Evaluate(), steps[^1].HeldOutLoss!.Value, tolerance: 1e-6);
        Assert.True(steps[^1].HeldOutLoss < before);
    }

    [Fact]
    public void A_resumed_run_is_bit_identical_to_an_uninterrupted_one()
    {
        var options = new TrainerOptions
        {
            Steps = 12,
            EvaluateEvery = null,
            Checkpoints = new CheckpointOptions(folder, Every: 5)
        };
        var whole = Weights(Model(dropout: 0.2), trainer => Drain(trainer.Run()), options with { Checkpoints = null });
        // "killed" at step 7
        Weights(Model(dropout: 0.2), trainer => Drain(trainer.Run().TakeWhile(report => report.Step < 7)), options);
        Assert.Equal(["step-00000005"], Directory.GetDirectories(folder).Select(Path.GetFileName));

        Compute.Seed(99);   // a new process is in another state
        var resumed = Weights(Model(dropout: 0.2, seed: 98), trainer =>
        {
            trainer.Resume(folder);
            Assert.Equal(5, trainer.Step);
            Drain(trainer.Run());
        }, options);
        Assert.Equal(whole, resumed);
        Assert.Equal(2, new DirectoryInfo(folder).GetDirectories().Length - 1);   // 5, 10 and 12
    }

    [Fact]
    public void The_trainer_can_continue_after_its_loop_was_left()
    {
        var options = new TrainerOptions { Steps = 8, EvaluateEvery = null };
        var whole = Weights(Model(), trainer => Drain(trainer.Run()), options);
        var parts = Weights(Model(), trainer =>
        {
            Drain(trainer.Run().Take(3));
            Assert.Equal(3, trainer.Step);
            Drain(trainer.Run());
        }, options);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Cancellation_ends_the_run_after_the_current_step()
    {
        using var model = Model();
        using var trainer = Make(model, new TrainerOptions { Steps = 50, EvaluateEvery = null });
        using var cancel = new CancellationTokenSource();
        foreach (var report in trainer.Run(cancel.Token))
            if (report.Step == 4) cancel.Cancel();
        Assert.Equal(4, trainer.Step);
    }

    [Fact]
    public void The_number_of_live_tensors_is_constant_over_100_steps()
    {
        using var model = Model();
        using var trainer = Make(model, new TrainerOptions { Steps = 110, EvaluateEvery = 50, EvaluationBatches = 2 });
        var counts = new List<long>();
        foreach (var report in trainer.Run())
            if (report.Step >= 10) counts.Add(report.Step == 10 ? LiveTensors.Settled() : Tensor.TotalCount);
        // The loader's thread holds up to its five batches, two tensors each.
        Assert.True(counts.Max() - counts.Min() <= 12, $"{counts.Min()} to {counts.Max()}");
        Assert.InRange(counts.TakeLast(20).Average() - counts.Take(20).Average(), -6, 6);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_before_the_weights_change()
    {
        using var model = Model();
        using var trainer = new Trainer(model, (logits, targets) =>
            Losses.CrossEntropy(logits, targets) / 0, Loader(), new TrainerOptions { EvaluateEvery = null });
        Assert.Contains("step 1", Assert.Throws<ArithmeticException>(() => Drain(trainer.Run())).Message,
            StringComparison.Ordinal);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Invalid_checkpoints_and_options_are_refused()
    {
        using var model = Model();
        using var trainer = Make(model,
            new TrainerOptions { Steps = 2, EvaluateEvery = null, Checkpoints = new CheckpointOptions(folder, 2) });
        Assert.Throws<DirectoryNotFoundException>(() => trainer.Resume(Path.Combine(folder, "nowhere")));
        Drain(trainer.Run());
        var place = Path.Combine(folder, "step-00000002");
        File.WriteAllText(Path.Combine(place, "trainer.json"), "{ \"Step\": ");
        Assert.Contains("trainer.json", Assert.Throws<InvalidDataException>(() => trainer.Resume(folder)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(place, "optimizer.safetensors"), "short");
        Assert.Throws<InvalidDataException>(() => trainer.Resume(folder));

        using var blind = new Trainer(model, Losses.CrossEntropy, Loader(), new TrainerOptions());
        Assert.Throws<InvalidOperationException>(() => blind.Evaluate());
        foreach (var options in new TrainerOptions[] { new() { Steps = 0 }, new() { LearningRate = 0 },
            new() { WarmupSteps = -1 }, new() { GradientClip = 0 },
            new() { EvaluateEvery = 0 }, new() { EvaluationBatches = 0 }, new() { FinalLearningRate = double.NaN },
                new() { Checkpoints = new("x", 0) } })
            Assert.Throws<ArgumentException>(() => new Trainer(model, Losses.CrossEntropy, Loader(), options));
    }

    [Fact]
    public void Cross_entropy_is_the_mean_negative_log_probability_and_checks_its_shapes()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { 0.2f, 0.8f, 0.6f, 0.4f }).log().view(1, 2, 2);
        var targets = tensor(new long[] { 1, 0 }).view(1, 2);
        Assert.Equal(-(Math.Log(0.8) + Math.Log(0.6)) / 2, Losses.CrossEntropy(logits, targets).item<float>(), 5);
        Assert.Contains("[1, 3]",
            Assert.Throws<ArgumentException>(() => Losses.CrossEntropy(logits, zeros([1, 3], int64))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_peak_matmul_rate_is_that_of_the_precision_of_the_run()
    {
        using var model = Model();
        using var full = Make(model, new TrainerOptions());
        using var mixed = Make(model, new TrainerOptions { Precision = Precision.BFloat16 });
        Assert.Equal(PeakMatmulRate.Of(CPU), full.PeakMatmulRate());
        Assert.Equal(PeakMatmulRate.Of(CPU, ScalarType.BFloat16), mixed.PeakMatmulRate());
        Assert.InRange(full.PeakMatmulRate(), 1e8, 1e15);
        Assert.NotEqual(full.PeakMatmulRate(), mixed.PeakMatmulRate());
    }

    private static Gpt Model(double dropout = 0, long seed = 3)
    {
        Compute.Seed(seed);
        return new Gpt(GptConfig.Nano with { Dropout = dropout });
    }

    private static BatchLoader Loader() => new(new TextWindows(Text, 16), 4);

    private static Trainer Make(nn.Module<Tensor, Tensor> model, TrainerOptions options) =>
        new(model, Losses.CrossEntropy, Loader(), options, new TextWindows(Text, 16, 5));

    private static float[] Weights(Gpt model, Action<Trainer> train, TrainerOptions options)
    {
        Compute.Seed(4);
        using (model)
        using (var trainer = Make(model, options))
        {
            train(trainer);
            return [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];
        }
    }

    private static void Drain(IEnumerable<StepReport> run)
    {
        foreach (var _ in run) { }
    }
}
