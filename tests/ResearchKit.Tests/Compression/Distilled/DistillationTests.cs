using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Metrics;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class DistillationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TextWindows windows = new([.. Enumerable.Range(0, 400).Select(place => (long)(place * place % 65))], 8);
    private readonly Gpt teacher, student;

    public DistillationTests()
    {
        random.manual_seed(5);
        teacher = new Gpt(GptConfig.Nano with { Layers = 4 });
        using (no_grad())
            foreach (var parameter in teacher.parameters()) parameter.add_(randn(parameter.shape) * 0.1);
        student = StructuredPruning.EverySecondLayer(teacher);
    }

    public void Dispose()
    {
        teacher.Dispose();
        student.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void The_loss_is_the_sum_of_its_terms()
    {
        using var batch = windows.Fetch([0, 3, 5]);
        var (logits, target) = (student.call(batch.Inputs), teacher.call(batch.Inputs));
        var labels = Losses.CrossEntropy(logits, batch.Targets).item<float>();
        var soft = DistillationLosses.SoftTargets(logits, target, 3).item<float>();
        var reverse = DistillationLosses.ReverseSoftTargets(logits, target, 2).item<float>();
        using var distillation = new Distillation(student, teacher, new LogitTerm { Temperature = 3, Weight = 0.7 },
            new LogitTerm { Reverse = true, Weight = 0.1 })
        { LabelWeight = 0.25 };
        Assert.Equal((0.25 * labels) + (0.7 * soft) + (0.1 * reverse), Loss(distillation, batch), 1e-5);
        Assert.False(teacher.training);
    }

    [Fact]
    public void Hidden_states_and_attention_compare_the_layers_of_the_map()
    {
        using var batch = windows.Fetch([1, 2]);
        foreach (var distance in Enum.GetValues<HiddenDistance>())
        {
            // a student whose layers are the teacher's first ones has the same hidden states there
            using var first = StructuredPruning.Remove(teacher, "layers", 2, 3);
            first.train();
            DistillationTerm[] Terms(LayerMap map) => [new HiddenTerm { Layers = map, Distance = distance },
                new AttentionTerm { Layers = map }];
            using var same = new Distillation(first, teacher, Terms(LayerMap.Of(0, 1))) { LabelWeight = 0 };
            Assert.Equal(0, Loss(same, batch), 1e-6);
            using var even = new Distillation(first, teacher, Terms(LayerMap.Even(2, 4))) { LabelWeight = 0 };
            Assert.True(Loss(even, batch) > 1e-4);
        }
        Assert.Equal("0 ← 1, 1 ← 3", LayerMap.Even(2, 4).ToString());
        Assert.Equal([(2, 5)], LayerMap.Last(3, 6).Pairs);
    }

    [Fact]
    public void A_narrower_student_compares_the_channels_that_it_kept()
    {
        using var batch = windows.Fetch([1, 2]);
        int[] gone = [2, 9, 30];
        using var narrow = StructuredPruning.Remove(teacher, new Dictionary<string, IReadOnlyList<int>>
        {
            ["width"] = gone,
            ["h.0.attn"] = [1],
        });
        int[] kept = [.. Enumerable.Range(0, 32).Except(gone)];
        using var distillation = new Distillation(narrow, teacher, new HiddenTerm { TeacherChannels = kept },
            new AttentionTerm());
        var loss = Loss(distillation, batch);
        Assert.True(double.IsFinite(loss) && loss > 0);
        using var without = new Distillation(narrow, teacher, new HiddenTerm { Distance = HiddenDistance.MeanSquares });
        Assert.Contains("expected the same shape", Assert.Throws<ArgumentException>(() => Loss(without, batch)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Training_brings_the_student_closer_and_evaluations_report_the_labels_alone()
    {
        using var batch = windows.Fetch([.. Enumerable.Range(0, 40).Select(number => (long)number)]);
        double Distance()
        {
            using var noGrad = no_grad();
            return DistillationLosses.SoftTargets(student.call(batch.Inputs), teacher.call(batch.Inputs)).item<float>();
        }
        var before = Distance();
        using var distillation = new Distillation(student, teacher, new LogitTerm(), new HiddenTerm()) { LabelWeight = 0 };
        using var trainer = Trained(distillation.Objective(Metric.Perplexity), windows);
        Assert.True(Distance() < before / 2, $"{before} to {Distance()}");
        student.eval();
        var report = trainer.EvaluateAll();
        using var all = windows.Fetch([.. Enumerable.Range(0, (int)windows.Count).Select(number => (long)number)]);
        Assert.Equal(Losses.CrossEntropy(student.call(all.Inputs), all.Targets).item<float>(), report.Loss, 1e-4);
        Assert.Equal(Math.Exp(report.Loss), report.Metrics.Single(metric => metric.Name == "perplexity").Value, 1e-2);
    }

    [Fact]
    public void Positions_without_a_target_or_of_padding_do_not_count()
    {
        using var bert = new BertForMaskedLanguageModel(BertConfig.Nano);
        using var other = new BertForMaskedLanguageModel(BertConfig.Nano);
        var inputs = randint(65, [2, 6], ScalarType.Int64);
        var targets = full([2, 6], -100L, ScalarType.Int64);
        targets[0, 1] = tensor(4L);
        targets[1, 3] = tensor(5L);
        var mask = ones(2, 6, ScalarType.Int64);
        mask[1, 4..] = tensor(0L);
        using var batch = new Batch(inputs, targets, mask);
        var (a, b) = (bert.Logits(inputs, mask), other.Logits(inputs, mask));
        using var masked = new Distillation(bert, other, new LogitTerm { Temperature = 1 }) { LabelWeight = 0 };
        Assert.Equal(DistillationLosses.SoftTargets(stack([a[0, 1], a[1, 3]]), stack([b[0, 1], b[1, 3]])).item<float>(),
            Loss(masked, batch), 1e-6);
        using var all = new Distillation(bert, other, new LogitTerm { Temperature = 1 }) { LabelWeight = 0, OnlyTargets = false };
        Assert.Equal(DistillationLosses.SoftTargets(a[mask.ne(0)], b[mask.ne(0)]).item<float>(), Loss(all, batch), 1e-6);
    }

    [Fact]
    public void A_file_of_all_logits_trains_as_the_teacher_does()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "teacher.safetensors");
        var done = new List<long>();
        TeacherCache.Write(path, teacher, windows, top: 65, temperature: 2, batchSize: 20, progress: new Reports(done.Add));
        Assert.Equal(windows.Count, done[^1]);
        using var cache = TeacherCache.Open(path);
        Assert.Equal((65, windows.Count, 2.0), (cache.Top, cache.Count, cache.Temperature));
        using var batch = cache.Attach(windows).Fetch([4, 2]);
        using var online = new Distillation(student, teacher, new LogitTerm());
        using var offline = new Distillation(student, cache, new LogitTerm());
        Assert.Equal(Loss(online, batch), Loss(offline, batch), 1e-5);
        using var trained = Trained(offline.Objective(), cache.Attach(windows));
        Assert.True(double.IsFinite(trained.History().Reports[^1].Loss));
    }

    [Fact]
    public void The_divergence_of_the_largest_logits_is_a_lower_bound_and_not_negative()
    {
        foreach (var top in new[] { 1, 3, 20 })
            for (var number = 0; number < 20; number++)
            {
                using var each = NewDisposeScope();
                var (own, target) = (randn(4, 20) * 3, randn(4, 20) * 3);
                var (values, classes) = target.topk(top);
                var bound = DistillationLosses.TopTargets(own, classes, values, target.logsumexp(-1)).item<float>();
                var whole = DistillationLosses.SoftTargets(own, target).item<float>();
                Assert.InRange(bound, -1e-6, whole + 1e-5);
                if (top == 20) Assert.Equal(whole, bound, 1e-5);
                Assert.InRange(DistillationLosses.TopTargets(target, classes, values, target.logsumexp(-1)).item<float>(),
                    -1e-6, 1e-5);
            }
    }

    [Fact]
    public void Bad_settings_are_refused()
    {
        void Refused(string expected, Func<object> make) => Assert.Contains(expected,
            Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
        Refused("the number of terms is 0", () => new Distillation(student, teacher));
        Refused("Temperature", () => new Distillation(student, teacher, new LogitTerm { Temperature = 0 }));
        Refused("the teacher's layer is 4", () => new Distillation(student, teacher, new HiddenTerm { Layers = LayerMap.Of(4) }));
        Refused("has no hook point hook_pattern", () => new Distillation(nn.Linear(2, 2), teacher, new AttentionTerm()));
        Refused("at least the student's 4 layers", () => LayerMap.Even(4, 2));
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "teacher.safetensors");
        Refused("top is 66", () =>
        {
            TeacherCache.Write(path, teacher, windows, top: 66);
            return path;
        });
        Assert.False(File.Exists(path));
        TeacherCache.Write(path, teacher, windows, top: 4, temperature: 1);
        using var cache = TeacherCache.Open(path);
        Refused("1, the temperature of the cache", () => new Distillation(student, cache, new LogitTerm { Temperature = 2 }));
        Refused("got 3", () => cache.Attach(windows.Subset([1, 2, 3])));
        using var offline = new Distillation(student, cache, new LogitTerm { Temperature = 1 });
        using var batch = windows.Fetch([0]);
        Refused("TeacherCache.Attach", () => Loss(offline, batch));
        using (var cancelled = new CancellationTokenSource())
        {
            cancelled.Cancel();
            Assert.Throws<OperationCanceledException>(() => TeacherCache.Write(path, teacher, windows, 4,
                cancel: cancelled.Token));
        }
        SaveStudent(path);
        Assert.Contains("not a file of a teacher's logits", Assert.Throws<InvalidDataException>(() => TeacherCache.Open(path))
            .Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Disposing_removes_the_hooks_and_steps_leave_no_tensors()
    {
        using var batch = windows.Fetch([0, 1]);
        using (var distillation = new Distillation(student, teacher, new HiddenTerm(), new AttentionTerm()))
        {
            Loss(distillation, batch);
            var before = LiveTensors.Count;
            Loss(distillation, batch);
            Assert.Equal(before, LiveTensors.Count);
        }
        Assert.All(teacher.modules().OfType<HookPoint>(), point => Assert.False(point.IsWatched));
        Assert.All(student.modules().OfType<HookPoint>(), point => Assert.False(point.IsWatched));
    }

    [Fact]
    public void A_projection_lets_a_narrower_student_imitate_hidden_states_and_leaves_with_the_distillation()
    {
        using var narrow = new Gpt(GptConfig.Nano with { ModelWidth = 16, Heads = 2, Layers = 2 });
        var names = narrow.state_dict().Keys.ToList();
        using var batch = windows.Fetch([0, 1, 2, 3]);
        using (var distillation = new Distillation(narrow, teacher,
            new HiddenTerm { Distance = HiddenDistance.MeanSquares, Projects = true })
        { LabelWeight = 0 })
        {
            narrow.train();
            Assert.Equal([teacher.Config.ModelWidth, 16], narrow.state_dict()["distillation_projection_0.weight"].shape);
            var first = Loss(distillation, batch);
            using var trainer = new Trainer(narrow, distillation.Objective(), new BatchLoader(windows, 8), new TrainerOptions
            {
                Steps = 40,
                WarmupSteps = 2,
                LearningRate = 1e-2,
                EvaluateEvery = null,
            });
            trainer.Fit();
            narrow.train();
            Assert.InRange(Loss(distillation, batch), 0, 0.9 * first);
        }
        Assert.Equal(names, narrow.state_dict().Keys);
        Assert.Throws<ArgumentException>(() => new Distillation(narrow, teacher, new HiddenTerm
        {
            Projects = true,
            TeacherChannels = [1, 2]
        }));
    }

    private void SaveStudent(string path) => StateDict.Save(student, path);

    private Trainer Trained(Objective objective, IExamples examples)
    {
        var trainer = new Trainer(student, objective, new BatchLoader(examples, 8), new TrainerOptions
        {
            Steps = 60,
            WarmupSteps = 5,
            LearningRate = 3e-3,
            EvaluateEvery = null,
            EvaluationBatches = 100,
        }, examples);
        trainer.Fit();
        return trainer;
    }

    /// <summary>The loss that a step of the trainer would take.</summary>
    private static double Loss(Distillation distillation, Batch batch)
    {
        using var scope = NewDisposeScope();
        return distillation.Objective().Compute(null!, batch, Precision.Full).Loss.item<float>();
    }

    private sealed class Reports(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
