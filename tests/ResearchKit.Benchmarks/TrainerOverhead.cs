using BenchmarkDotNet.Attributes;
using ResearchKit.Data;
using ResearchKit.Optimizers;
using ResearchKit.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// A step of a model of a hundred parameters by the trainer, and the same operations with nothing round them: the difference is
/// what the trainer itself costs.
/// </summary>
public class TrainerOverhead
{
    private const int Steps = 200;
    private Linear bare = null!, trained = null!;
    private FusedAdamW optimizer = null!;
    private IEnumerator<Batch> batches = null!;
    private Trainer trainer = null!;
    private IEnumerator<StepReport> steps = null!;

    [GlobalSetup]
    public void Setup()
    {
        (bare, trained) = (nn.Linear(20, 5, hasBias: false), nn.Linear(20, 5, hasBias: false));
        optimizer = new FusedAdamW(bare.named_parameters());
        batches = Loader().Batches().GetEnumerator();
        trainer = new Trainer(trained, (output, target) => nn.functional.mse_loss(output, target), Loader(), new TrainerOptions
        {
            Steps = int.MaxValue,
            Schedule = _ => 1e-3,
            EvaluateEvery = null,
        });
        steps = trainer.Run().GetEnumerator();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Steps)]
    public double Bare()
    {
        var sum = 0.0;
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            batches.MoveNext();
            using var batch = batches.Current;
            optimizer.ZeroGrad();
            var loss = nn.functional.mse_loss(bare.call(batch.Inputs), batch.Targets);
            loss.backward();
            GradientClip.ByNorm([bare.weight!], 1);
            optimizer.LearningRate = 1e-3;
            optimizer.Step();
            sum += loss.item<float>();
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Steps)]
    public void ByTrainer()
    {
        for (var step = 0; step < Steps; step++) steps.MoveNext();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        steps.Dispose();
        batches.Dispose();
        foreach (var one in new IDisposable[] { trainer, optimizer, bare, trained }) one.Dispose();
    }

    private static BatchLoader Loader() => new(new TensorExamples(randn(4096, 20), randn(4096, 5)), 8, 1);
}
