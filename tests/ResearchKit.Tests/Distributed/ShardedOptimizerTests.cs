using ResearchKit.Data;
using ResearchKit.Distributed;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Distributed;

/// <summary>Data-parallel runs against one process, with workers that are threads.</summary>
public sealed class ShardedOptimizerTests : IDisposable
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];
    private readonly string folder = Directory.CreateTempSubdirectory("sharded-").FullName;

    public static TheoryData<string> Kinds => ["AdamW", "Lion", "ScheduleFree", "Muon"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Several_workers_give_the_weights_of_one_worker_with_the_combined_batch(int count)
    {
        var one = Train(null, 4, batch: 8).Weights;
        var runs = ThreadWorkers.Run(count, workers => Train(workers, 4, batch: 8).Weights);
        Assert.All(runs, run => Assert.Equal(runs[0], run));
        Near(one, runs[0], 1e-5);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_sharded_optimizer_is_bit_identical_to_the_unsharded_one(string kind)
    {
        var whole = ThreadWorkers.Run(2, workers => Train(workers, 4, 8, parameters => Settings(kind).Create(parameters)));
        var sharded = ThreadWorkers.Run(2, workers =>
            Train(workers, 4, 8, parameters => new ShardedOptimizer(parameters, Settings(kind), workers)));
        Assert.Equal(whole[0].Weights, sharded[0].Weights);
        Assert.Equal(whole[0].Weights, sharded[1].Weights);
        Assert.Equal(whole[0].HeldOut, sharded[1].HeldOut);
    }

    [Fact]
    public void Each_parameter_belongs_to_one_worker_and_the_load_is_balanced()
    {
        using var model = Model();
        var own = ThreadWorkers.Run(3, workers =>
        {
            using var sharded = new ShardedOptimizer(Named(model), new FusedAdamWOptions(), workers);
            return sharded.Own;
        });
        Assert.Equal(Named(model).Select(pair => pair.Name).Order(StringComparer.Ordinal),
            own.SelectMany(names => names).Order(StringComparer.Ordinal));
        var sizes = Named(model).ToDictionary(pair => pair.Name, pair => pair.Parameter.numel());
        var loads = own.Select(names => names.Sum(name => sizes[name])).ToList();
        Assert.InRange(loads.Max(), loads.Average(), loads.Average() + sizes.Values.Max());
    }

    [Fact]
    public void A_resumed_sharded_run_is_bit_identical()
    {
        Optimizer Make(IEnumerable<(string, TorchSharp.Modules.Parameter)> parameters, ICommunicator workers) =>
            new ShardedOptimizer(parameters, Settings("AdamW"), workers);
        var whole = ThreadWorkers.Run(2, workers => Train(workers, 6, 8, parameters => Make(parameters, workers)).Weights);
        ThreadWorkers.Run(2, workers => Train(workers, 3, 8, parameters => Make(parameters, workers), folder).Weights);
        var resumed = ThreadWorkers.Run(2, workers =>
            Train(workers, 6, 8, parameters => Make(parameters, workers), folder, resume: true).Weights);
        Assert.Equal(whole[0], resumed[0]);
        Assert.Equal(whole[0], resumed[1]);
    }

    [Fact]
    public void The_first_worker_has_the_whole_state_and_the_unsharded_optimizer_loads_it()
    {
        var states = ThreadWorkers.Run(2, workers =>
        {
            using var scope = NewDisposeScope();
            using var model = Model();
            foreach (var (_, parameter) in Named(model)) parameter.grad = ones_like(parameter);
            using var sharded = new ShardedOptimizer(Named(model), new FusedAdamWOptions(), workers);
            sharded.Step();
            return sharded.State().ToDictionary(pair => pair.Key, pair => pair.Value.clone().DetachFromDisposeScope());
        });
        using var other = Model();
        using var whole = new FusedAdamW(Named(other), new FusedAdamWOptions());
        Assert.Equal(whole.State().Keys.Order(StringComparer.Ordinal), states[0].Keys.Order(StringComparer.Ordinal));
        Assert.True(states[1].Count < states[0].Count);
        whole.LoadState(states[0]);
        Assert.Contains(whole.State(), pair =>
            pair.Key.EndsWith("exp_avg", StringComparison.Ordinal) && pair.Value.sum().item<float>() > 0);
        foreach (var tensor in states.SelectMany(state => state.Values)) tensor.Dispose();
    }

    [Fact]
    public void A_parameter_unused_by_one_worker_moves_by_the_gradient_of_the_other()
    {
        var moved = ThreadWorkers.Run(2, workers =>
        {
            using var scope = NewDisposeScope();
            using var model = nn.Sequential(("left", nn.Linear(2, 1, hasBias: false)),
                ("right", nn.Linear(2, 1, hasBias: false)));
            foreach (var parameter in model.parameters()) nn.init.ones_(parameter);
            var reached = model.parameters().ElementAt(workers.Rank);
            using var trainer = new Trainer(model, (Batch _) =>
                reached.sum(), new BatchLoader(new TextWindows(Text, 4), 2, share: workers.Rank, shares: 2),
                new TrainerOptions
                {
                    Steps = 1,
                    WarmupSteps = 0,
                    EvaluateEvery = null,
                    GradientClip = null,
                    Workers = workers,
                    Schedule = _ => 1,
                    Optimizer = parameters => new FusedSgd(parameters, new FusedSgdOptions())
                });
            Assert.Single(trainer.Run());
            return Weights(model);
        });
        Assert.All(moved, weights => Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], weights));
    }

    [Fact]
    public void Invalid_parameters_and_settings_are_refused()
    {
        using var model = Model();
        using var alone = MpiWorkers.Start();
        Assert.Contains("no parameter",
            Assert.Throws<ArgumentException>(() => new ShardedOptimizer([], new FusedAdamWOptions(), alone)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Two parameters",
            Assert.Throws<ArgumentException>(() =>
            new ShardedOptimizer([.. Named(model), .. Named(model)], new FusedAdamWOptions(), alone)).Message,
            StringComparison.Ordinal);
        Assert.Contains("-1",
            Assert.Throws<ArgumentException>(() =>
            new ShardedOptimizer(Named(model), new FusedAdamWOptions { LearningRate = -1 }, alone)).Message,
            StringComparison.Ordinal);
    }

    private static (float[] Weights, double? HeldOut) Train(ICommunicator? workers, int steps, int batch,
        Func<IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)>, Optimizer>? optimizer = null,
            string? place = null, bool resume = false)
    {
        using var model = Model();
        var (rank, count) = (workers?.Rank ?? 0, workers?.WorldSize ?? 1);
        using var trainer = new Trainer(model, Losses.CrossEntropy,
            new BatchLoader(new TextWindows(Text, 16), batch / count, seed: 5, share: rank, shares: count), new TrainerOptions
            {
                Steps = steps,
                Schedule = _ => 1e-3,
                EvaluateEvery = 2,
                Workers = workers,
                Optimizer = optimizer ?? (parameters => new FusedSgd(parameters, new FusedSgdOptions())),
                Checkpoints = place is null ? null : new(place, 3),
            }, new TextWindows(Text, 16, 50));
        if (resume) trainer.Resume(place!);
        var last = trainer.Run().ToList();
        return (Weights(model), last[^1].HeldOutLoss);
    }

    private static OptimizerSettings Settings(string kind) => kind switch
    {
        "AdamW" => new FusedAdamWOptions { WeightDecay = 0.1 },
        "Lion" => new LionOptions(),
        "ScheduleFree" => new ScheduleFreeAdamWOptions(),
        _ => new MuonOptions(),
    };

    private static Gpt Model()
    {
        lock (Text)
        {
            manual_seed(3);
            return new Gpt(GptConfig.Nano);
        }
    }

    private static IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> Named(nn.Module model) =>
        model.named_parameters().Select(pair => (pair.name, pair.parameter));

    private static float[] Weights(nn.Module model) =>
        [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    private static void Near(float[] expected, float[] actual, double tolerance)
    {
        var difference = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(difference <= tolerance, $"The largest difference is {difference}.");
    }
}
