using System.Diagnostics;
using ResearchKit.Data;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Trains a model: batch, loss, gradients, clip, AdamW step, and again.</summary>
/// <remarks>
/// The loop is the caller's: <c>foreach (var report in trainer.Run()) …</c>. A step happens when its report is asked for; leaving the
/// loop leaves the model as it is, and a later <see cref="Run"/> goes on.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> model;
    private readonly Func<Tensor, Tensor, Tensor> loss;
    private readonly BatchLoader loader;
    private readonly Evaluation? evaluation;
    private readonly TrainerOptions options;
    private readonly Optimizer optimizer;
    private readonly Func<int, double> schedule;
    private readonly Device device;
    private readonly List<StepReport> reports = [];

    /// <param name="model">What is trained, on whichever device it lies; stays the caller's.</param>
    /// <param name="loss">From (model output, targets) to one number, such as <see cref="Losses.CrossEntropy"/>.</param>
    /// <param name="loader">What it is trained on.</param>
    /// <param name="options">How.</param>
    /// <param name="heldOut">What it is evaluated on; null for no evaluation.</param>
    /// <exception cref="ArgumentException">Options out of range, or a model without parameters.</exception>
    public Trainer(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Tensor> loss, BatchLoader loader, TrainerOptions options, IExamples? heldOut = null)
    {
        (this.model, this.loss, this.loader, this.options) = (model, loss, loader, options.Validated());
        optimizer = new FusedAdamW(model.named_parameters(), new FusedAdamWOptions
        {
            LearningRate = options.LearningRate,
            Beta2 = options.Beta2,
            WeightDecay = options.WeightDecay,
            Decays = FusedAdamWOptions.MatricesOnly,
        });
        schedule = Schedules.WarmupCosine(options.LearningRate, options.WarmupSteps, options.Steps, options.FinalLearningRate);
        device = model.parameters().First().device;
        if (heldOut is not null) evaluation = new Evaluation(model, loss, heldOut, loader.BatchSize, options.EvaluationBatches);
    }

    /// <summary>Steps done.</summary>
    public int Step { get; private set; }

    /// <summary>The reports so far, as the training curve of a run.</summary>
    public TrainingHistory History(string name = "training", string lossUnit = "nats per token") => new(name, [.. reports], lossUnit);

    /// <summary>Mean loss on held-out data now.</summary>
    /// <exception cref="InvalidOperationException">The trainer was given no held-out data.</exception>
    public double Evaluate() => evaluation?.MeanLoss()
        ?? throw new InvalidOperationException("The trainer was given no held-out data to evaluate on.");

    /// <summary>Trains from where the last run stopped to the last step, a step for each report taken.</summary>
    /// <param name="cancel">Ends the run after the step at hand.</param>
    /// <exception cref="ArithmeticException">The loss became infinite or NaN; the model is as it was before that step.</exception>
    public IEnumerable<StepReport> Run(CancellationToken cancel = default)
    {
        using var batches = loader.Batches().GetEnumerator();
        var (clock, training, tokens, first) = (Stopwatch.StartNew(), new Stopwatch(), 0L, Step);
        while (Step < options.Steps && !cancel.IsCancellationRequested)
        {
            training.Start();
            batches.MoveNext();
            var (lossValue, norm, count) = TrainOn(batches.Current);
            training.Stop();
            tokens += count;
            var report = new StepReport(Step, options.Steps, lossValue, optimizer.LearningRate, norm, tokens / training.Elapsed.TotalSeconds,
                clock.Elapsed, Due(options.EvaluateEvery) ? evaluation?.MeanLoss() : null)
            { FirstStep = first };
            reports.Add(report);
            if (options.Checkpoints is { } place && Due(place.Every)) Checkpoint.Save(place.Folder, this);
            yield return report;
        }
    }

    /// <summary>Goes on from a checkpoint: model, optimizer, data order, random numbers and step are as they were.</summary>
    /// <param name="folder">A checkpoint, or a folder of checkpoints, of which the last is taken.</param>
    /// <exception cref="DirectoryNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or belongs to another model.</exception>
    public void Resume(string folder) => Checkpoint.Load(folder, this);

    /// <inheritdoc/>
    public void Dispose() => optimizer.Dispose();

    internal nn.Module<Tensor, Tensor> Model => model;
    internal Optimizer Optimizer => optimizer;
    internal BatchLoader Loader => loader;
    internal void ContinueFrom(int step) => Step = step;

    private bool Due(int? every) => every is { } steps && (Step % steps == 0 || Step == options.Steps);

    private (double Loss, double GradientNorm, long Tokens) TrainOn(Batch batch)
    {
        using var scope = NewDisposeScope();
        using var here = batch.To(device);
        model.train();
        optimizer.ZeroGrad();
        var error = loss(model.call(here.Inputs), here.Targets);
        var value = error.item<float>();
        if (!float.IsFinite(value))
            throw new ArithmeticException($"The loss became {value} at step {Step + 1}; the model is as it was before. A smaller learning rate or gradient clip may help.");
        error.backward();
        var norm = nn.utils.clip_grad_norm_(model.parameters(), options.GradientClip ?? double.PositiveInfinity);
        optimizer.LearningRate = schedule(Step + 1);
        optimizer.Step();
        Step++;
        return (value, norm, here.Targets.numel());
    }
}
