using BenchmarkDotNet.Attributes;
using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// A step of a GPT of 6 layers, 6 heads and 384 channels on 8 windows of 256 characters: model and loop as one would write them by hand
/// with TorchSharp's modules and AdamW (to reach: the trainer 1.10 times as fast), the same loop with the kit's model, the trainer, the
/// trainer in bfloat16, and nothing but the products of large matrices with as many operations: libtorch's, and those of the kit's layers.
/// </summary>
/// <remarks>
/// The loop by hand does what the trainer does: it clips the gradients, sets the learning rate and reads the loss. The ratio of
/// products to the trainer is the trainer's share of their rate.
/// </remarks>
[WarmupCount(1)]
[IterationCount(8)]
public class TrainerSpeed
{
    private const int Windows = 8, Context = 256, Side = 2048;
    private Gpt kits = null!, single = null!, mixed = null!;
    private PlainGpt plain = null!;
    private IEnumerator<Batch> batches = null!;
    private optim.Optimizer plainOptimizer = null!, kitsOptimizer = null!;
    private Trainer trainer = null!, mixedTrainer = null!;
    private IEnumerator<StepReport> steps = null!, mixedSteps = null!;
    private Tensor matrix = null!;
    private Dense layer = null!;

    [GlobalSetup]
    public void Setup()
    {
        (kits, single, mixed) = (Model(), Model(), Model());
        plain = new PlainGpt(kits.Config.VocabularySize, Context, kits.Config.ModelWidth, kits.Config.Heads, kits.Config.Layers);
        batches = Loader().Batches().GetEnumerator();
        (plainOptimizer, kitsOptimizer) = (AdamW(plain), AdamW(kits));
        (trainer, mixedTrainer) = (Train(single, Precision.Full), Train(mixed, Precision.BFloat16));
        (steps, mixedSteps) = (trainer.Run().GetEnumerator(), mixedTrainer.Run().GetEnumerator());
        (matrix, layer) = (ones(Side, Side), new Dense(Side, Side, hasBias: false));
    }

    [Benchmark(Baseline = true)]
    public double ByHand() => Step(plain, plainOptimizer);

    [Benchmark]
    public double ByHandWithTheKitsModel() => Step(kits, kitsOptimizer);

    [Benchmark]
    public bool ByTrainer() => steps.MoveNext();

    [Benchmark]
    public bool ByTrainerInBfloat16() => mixedSteps.MoveNext();

    /// <summary>As many operations as a step takes, in products of two matrices of 2048 × 2048.</summary>
    [Benchmark]
    public void MatrixProducts() => Multiply(() => matrix.mm(matrix));

    [Benchmark]
    public void MatrixProductsOfTheKit() => Multiply(() => layer.call(matrix));

    [GlobalCleanup]
    public void Cleanup()
    {
        if (steps.Current is { Step: > 0 } last)
            Console.WriteLine($"// float32: {last.OperationsPerSecond / PeakMatmulRate.Of(CPU):0.0 %} of {PeakMatmulRate.Of(CPU) / 1e9:0} Gflop/s; "
                + $"waited for data {last.Waited / last.Elapsed:0.00 %} of the time");
        steps.Dispose();
        mixedSteps.Dispose();
        batches.Dispose();
        foreach (var one in new IDisposable[] { trainer, mixedTrainer, plainOptimizer, kitsOptimizer, plain, kits, single, mixed, matrix, layer }) one.Dispose();
    }

    private double Step(nn.Module<Tensor, Tensor> model, optim.Optimizer optimizer)
    {
        using var scope = NewDisposeScope();
        batches.MoveNext();
        using var batch = batches.Current;
        optimizer.zero_grad();
        var loss = Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        loss.backward();
        nn.utils.clip_grad_norm_(model.parameters(), 1);
        foreach (var group in optimizer.ParamGroups) group.LearningRate = 1e-3;
        optimizer.step();
        return loss.item<float>();
    }

    private void Multiply(Func<Tensor> product)
    {
        using var noGrad = no_grad();
        var operations = OperationsPerToken * Windows * Context;
        for (var done = 0.0; done < operations; done += 2.0 * Side * Side * Side) product().Dispose();
    }

    private static TorchSharp.Modules.AdamW AdamW(nn.Module model) => optim.AdamW(model.parameters(), 1e-3, beta2: 0.99, weight_decay: 0.1);

    /// <summary>Six operations for each weight of a matrix, and attention's own: 12 × layers × channels × the mean number of keys.</summary>
    private double OperationsPerToken =>
        (6.0 * single.parameters().Where(parameter => parameter.dim() == 2).Sum(parameter => parameter.numel()))
        - (6.0 * Context * single.Config.ModelWidth) + (12.0 * single.Config.Layers * single.Config.ModelWidth * Context / 2);

    internal static Gpt Model() => new(GptConfig.Nano with { VocabularySize = 65, ContextLength = Context, ModelWidth = 384, Layers = 6, Heads = 6, Dropout = 0 });

    internal static BatchLoader Loader(IWorkers? workers = null)
    {
        var random = new Random(1);
        var (rank, count) = (workers?.Rank ?? 0, workers?.Count ?? 1);
        return new BatchLoader(new TextWindows([.. Enumerable.Range(0, 200_000).Select(_ => (long)random.Next(65))], Context, 16), Windows / count, 1, share: rank, shares: count);
    }

    internal static Trainer Train(Gpt model, Precision precision, IWorkers? workers = null) => new(model, Losses.CrossEntropy, Loader(workers), new TrainerOptions
    {
        Steps = int.MaxValue,
        Schedule = _ => 1e-3,
        EvaluateEvery = null,
        Precision = precision,
        Workers = workers,
    });
}
