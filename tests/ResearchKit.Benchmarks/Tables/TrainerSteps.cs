using ResearchKit.Data;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A trainer's steps, some at a time.</summary>
internal sealed class TrainerSteps : IDisposable
{
    private readonly nn.Module model;
    private readonly Trainer trainer;
    private readonly IEnumerator<StepReport> steps;
    private readonly Func<double> round;

    /// <param name="model">What is trained; disposed of with this.</param>
    /// <param name="loader">What it is trained on.</param>
    /// <param name="precision">In which type it computes.</param>
    /// <param name="count">Steps of a round.</param>
    public TrainerSteps(nn.Module<Tensor, Tensor> model, BatchLoader loader, Precision precision, int count = 1)
    {
        this.model = model;
        trainer = new Trainer(model, Losses.CrossEntropy, loader,
            new TrainerOptions { Steps = int.MaxValue, Schedule = _ => 1e-3, EvaluateEvery = null, Precision = precision });
        steps = trainer.Run().GetEnumerator();
        round = Pair.Time(() => steps.MoveNext(), count);
    }

    /// <summary>Milliseconds of a step, the mean of a round.</summary>
    public double Round() => round();

    public void Dispose()
    {
        steps.Dispose();
        trainer.Dispose();
        model.Dispose();
    }
}
