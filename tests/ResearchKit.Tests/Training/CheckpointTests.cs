using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

public sealed class CheckpointTests : IDisposable
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];
    private readonly string folder = Directory.CreateTempSubdirectory("checkpoints-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Old_checkpoints_are_deleted_and_the_best_is_kept()
    {
        using var model = Model();
        using var trainer = Make(model,
            new TrainerOptions
            {
                Steps = 12,
                LearningRate = 5e-3,
                WarmupSteps = 2,
                EvaluateEvery = 4,
                Checkpoints = new(folder, 3) { Keep = 2 }
            });
        Drain(trainer.Run());
        Assert.Equal(["step-00000009", "step-00000012"], Names("step-*"));
        Assert.Equal([$"best-{trainer.Best.Step:00000000}"], Names("best-*"));
        Assert.Equal(["history.jsonl"], Directory.GetFiles(folder).Select(Path.GetFileName));   // the lock has gone

        var best = trainer.Best.Loss;
        using (no_grad())
            foreach (var parameter in model.parameters()) parameter.zero_();
        trainer.RestoreBest();
        Assert.Equal(best, trainer.Evaluate(), tolerance: 1e-6);
    }

    [Fact]
    public void The_best_checkpoint_has_the_averaged_weights_and_resuming_with_averaging_is_exact()
    {
        var options = new TrainerOptions
        {
            Steps = 9,
            EvaluateEvery = 3,
            AverageDecay = 0.8,
            Patience = 5,
            Accumulation = 2,
            Checkpoints = new(folder, 3) { Keep = null }
        };
        float[] Train(TrainerOptions how, int? from)
        {
            using var model = Model();
            using var trainer = Make(model, how);
            if (from is { } step) trainer.Resume(Path.Combine(folder, $"step-{step:00000000}"));
            Drain(trainer.Run());
            using (trainer.UseEvaluationWeights()) return Weights(model);
        }
        var whole = Train(options, null);
        Assert.Equal(whole, Train(options with { Checkpoints = null }, from: 3));
        using var other = Model();
        using var reader = Make(other, options);
        reader.RestoreBest();
        Assert.Equal(whole, Weights(other));   // the loss of so short a run falls to its end
    }

    [Fact]
    public void A_resumed_run_uses_the_kernels_of_the_checkpoint_or_states_why_it_cannot()
    {
        using var kernels = new TestKernels("linear-64=mkl bf16-linear=float32");
        var began = Compute.Kernels.ToString();
        var options = new TrainerOptions { Steps = 2, EvaluateEvery = null, Checkpoints = new(folder, 2) };
        using var model = Model();
        using (var trainer = Make(model, options)) Drain(trainer.Run());
        TestKernels.Take("bf16-linear=libtorch");
        using (var resumed = Make(model, options with { Steps = 4 }))
        {
            resumed.Resume(folder);
            Assert.Equal((began, null), (Compute.Kernels.ToString(), resumed.ResumeNote));
        }
        var state = Path.Combine(folder, "step-00000002", "trainer.json");
        File.WriteAllText(state, File.ReadAllText(state).Replace("linear-64=mkl", "linear-64=abacus", StringComparison.Ordinal));
        using var elsewhere = Make(model, options with { Steps = 4 });
        elsewhere.Resume(folder);
        Assert.Contains("'linear-64=abacus' names no kernel", elsewhere.ResumeNote, StringComparison.Ordinal);
        Assert.Equal(2, elsewhere.Step);
    }

    [Fact]
    public void Two_runs_cannot_write_into_one_folder()
    {
        var options = new TrainerOptions { Steps = 4, EvaluateEvery = null, Checkpoints = new(folder, 2) };
        using var model = Model();
        using var first = Make(model, options);
        using (var running = first.Run().GetEnumerator())
        {
            Assert.True(running.MoveNext());
            using var second = Make(model, options);
            Assert.Contains("Another run writes", Assert.Throws<IOException>(() => Drain(second.Run())).Message,
                StringComparison.Ordinal);
            while (running.MoveNext()) { }
        }
        using var later = Make(model, options);
        Assert.Contains("earlier run up to step 4", Assert.Throws<IOException>(() => Drain(later.Run())).Message,
            StringComparison.Ordinal);
        Assert.Equal(["step-00000002", "step-00000004"], Names("*"));
        later.Resume(folder);
        Drain(later.Run());
    }

    [Fact]
    public void A_partially_written_checkpoint_is_ignored_and_removed()
    {
        var options = new TrainerOptions { Steps = 4, EvaluateEvery = null, Checkpoints = new(folder, 2) };
        using var model = Model();
        using (var first = Make(model, options)) Drain(first.Run());
        var half = Directory.CreateDirectory(Path.Combine(folder, "step-00000006.0123.tmp")).FullName;
        File.WriteAllText(Path.Combine(half, "trainer.json"), "{}");
        using var second = Make(model, options with { Steps = 5 });
        second.Resume(folder);
        Assert.Equal(4, second.Step);
        Drain(second.Run());
        Assert.False(Directory.Exists(half));
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_stops_the_run_and_loses_nothing()
    {
        var options = new TrainerOptions { Steps = 4, EvaluateEvery = null, Checkpoints = new(folder, 2) };
        using var whole = Model();
        using (var plain = Make(whole, options with { Checkpoints = null })) Drain(plain.Run());
        using var model = Model();
        using var trainer = Make(model, options);
        File.WriteAllText(Path.Combine(folder, "step-00000002"), "in the way");
        var error = Assert.Throws<IOException>(() => Drain(trainer.Run()));
        Assert.Contains("step 2 could not be written", error.Message, StringComparison.Ordinal);
        Assert.Equal(["history.jsonl", "step-00000002"],
            Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        Assert.Equal(2, trainer.Step);
        Drain(trainer.Run());
        Assert.Equal(Weights(whole), Weights(model));
        Assert.Equal(["step-00000004"], Names("*"));

        using var blocked = Make(model, options with { Checkpoints = new(Path.Combine(folder, "step-00000002", "below"), 2) });
        Assert.ThrowsAny<IOException>(() => Drain(blocked.Run()));   // a file where the folder should be
    }

    [Fact]
    public void A_checkpoint_of_another_model_optimizer_or_version_is_refused_and_changes_nothing()
    {
        var options = new TrainerOptions { Steps = 2, EvaluateEvery = null, Checkpoints = new(folder, 2) };
        using (var model = Model())
        using (var trainer = Make(model, options)) Drain(trainer.Run());

        string Refused(Gpt model, TrainerOptions how)
        {
            var before = Weights(model);
            using var trainer = Make(model, how with { Checkpoints = null });
            var message = Assert.Throws<InvalidDataException>(() => trainer.Resume(folder)).Message;
            Assert.Equal(before, Weights(model));
            Assert.Equal(0, trainer.Step);
            return message;
        }
        Compute.Seed(9);
        using var wider = new Gpt(GptConfig.Nano with { ModelWidth = 64 });
        Assert.Contains("wte.weight", Refused(wider, options), StringComparison.Ordinal);
        using var same = Model(seed: 8);
        Assert.Contains("its optimizer is FusedAdamW, this trainer's SGD",
            Refused(same, options with
            {
                Optimizer =
            parameters => new ResearchKit.Optimizers.TorchOptimizer(optim.SGD(parameters.Select(pair => pair.Parameter), 0.1))
            }),
            StringComparison.Ordinal);
        var file = Path.Combine(folder, "step-00000002", "trainer.json");
        var text = File.ReadAllText(file);
        File.WriteAllText(file, text.Replace("\"Gpt\"", "\"Vgg\"", StringComparison.Ordinal));
        Assert.Contains("of a Vgg", Refused(same, options), StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace("\"Version\": 2", "\"Version\": 3", StringComparison.Ordinal));
        Assert.Contains("version 3", Refused(same, options), StringComparison.Ordinal);
    }

    private IEnumerable<string?> Names(string pattern) =>
        Directory.GetDirectories(folder, pattern).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static Gpt Model(long seed = 3)
    {
        Compute.Seed(seed);
        return new Gpt(GptConfig.Nano with { Dropout = 0.1 });
    }

    private static Trainer Make(Gpt model, TrainerOptions options)
    {
        Compute.Seed(4);
        return new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(Text, 16), 4), options,
            new TextWindows(Text, 16, 5));
    }

    private static float[] Weights(nn.Module model) =>
        [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    private static void Drain(IEnumerable<StepReport> run)
    {
        foreach (var _ in run) { }
    }
}
