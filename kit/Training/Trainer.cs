using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Trains a model: batch, loss, gradients, clip, the optimizer's step, and again.</summary>
/// <remarks>
/// The loop is the caller's: <c>foreach (var report in trainer.Run()) …</c>. A step happens when its report is asked for; leaving the
/// loop leaves the model as it is, and a later <see cref="Run"/> goes on. Of several processes the first one's weights count, and each
/// draws random numbers of its own from then on, so that dropout differs between them.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly nn.Module model;
    private readonly BatchLoader loader;
    private readonly Evaluation? evaluation;
    private readonly TrainerOptions options;
    private readonly Optimizer optimizer;
    private readonly WeightAverage? average;
    private readonly TrainingStep step;
    private readonly Func<int, double> schedule;
    private readonly List<StepReport> reports = [];

    /// <param name="model">What is trained, on whichever device it lies; stays the caller's.</param>
    /// <param name="loss">From (model output, targets) to one number, such as <see cref="Losses.CrossEntropy"/>; computes in float32.</param>
    /// <param name="loader">What it is trained on; of several processes each has its share.</param>
    /// <param name="options">How.</param>
    /// <param name="heldOut">What it is evaluated on; null for no evaluation.</param>
    /// <exception cref="ArgumentException">Options out of range, a model without parameters to train, or empty held-out data.</exception>
    public Trainer(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Tensor> loss, BatchLoader loader, TrainerOptions options, IExamples? heldOut = null)
        : this(model, batch => loss(Output(model, batch, options.Precision), batch.Targets), loader, options, heldOut, Precision.Full)
    {
    }

    /// <param name="model">What is trained, on whichever device it lies; stays the caller's.</param>
    /// <param name="objective">From a batch to its loss, one number; such as one of <see cref="Objectives"/>.</param>
    /// <param name="loader">What it is trained on; of several processes each has its share.</param>
    /// <param name="options">How.</param>
    /// <param name="heldOut">What it is evaluated on; null for no evaluation.</param>
    /// <exception cref="ArgumentException">Options out of range, a model without parameters to train, or empty held-out data.</exception>
    public Trainer(nn.Module model, Func<Batch, Tensor> objective, BatchLoader loader, TrainerOptions options, IExamples? heldOut = null)
        : this(model, objective, loader, options, heldOut, options.Precision)
    {
    }

    private Trainer(nn.Module model, Func<Batch, Tensor> objective, BatchLoader loader, TrainerOptions options, IExamples? heldOut, Precision precision)
    {
        Packing.Refuse(model, "trained");
        (this.model, this.loader, this.options) = (model, loader, options.Validated());
        if (!model.parameters().Any(parameter => parameter.requires_grad)) throw new ArgumentException($"The model {model.GetName()} has no parameter to train.", nameof(model));
        if (heldOut is { Count: 0 }) throw new ArgumentException("The held-out data holds no example.", nameof(heldOut));
        var device = model.parameters().First().device;
        Tensor Objective(Batch batch)
        {
            using var mixed = precision.Begin(device);
            return objective(batch);
        }
        optimizer = options.MakeOptimizer(model);
        schedule = options.Rates;
        step = new TrainingStep(model, Objective, optimizer, options);
        average = options.AverageDecay is { } decay ? new WeightAverage(model, decay) : null;
        if (heldOut is not null) evaluation = new Evaluation(model, Objective, heldOut, loader.BatchSize, options.EvaluationBatches, options.Workers);
        if (options.Workers is not { WorldSize: > 1 } workers) return;
        ShareWeights(workers);
        RandomState.Part(workers);
    }

    /// <summary>Steps done.</summary>
    public int Step { get; private set; }

    /// <summary>The lowest held-out loss so far, and how long ago it was.</summary>
    public BestEvaluation Best { get; private set; } = BestEvaluation.None;

    /// <summary>What a resumed run could not take over from the one before, in one sentence: its kernels, on another machine; null for nothing.</summary>
    public string? ResumeNote { get; private set; }

    /// <summary>True once the run has ended for want of a new best.</summary>
    public bool StoppedEarly => options.Patience is { } patience && Best.Since >= patience;

    /// <summary>The reports so far, as the training curve of a run.</summary>
    public TrainingHistory History(string name = "training", string lossUnit = "nats per token") => new(name, [.. reports], lossUnit);

    /// <summary>
    /// The ceiling of <see cref="StepReport.OperationsPerSecond"/>: how many operations a second the model's device does in products of large
    /// matrices, in the precision of the run, times the processes of it.
    /// </summary>
    /// <remarks>
    /// <c>trainer.Run().Watch(operationsPerSecond: trainer.PeakMatmulRate())</c>. Measured where it is first asked for in a process, in well
    /// under a second, so not in the middle of a run.
    /// </remarks>
    public double PeakMatmulRate() =>
        Native.PeakMatmulRate.Of(model.parameters().First().device, options.Precision.Type()) * (options.Workers?.WorldSize ?? 1);

    /// <summary>Mean loss on held-out data now; of the averaged weights where the run averages them.</summary>
    /// <exception cref="InvalidOperationException">The trainer was given no held-out data.</exception>
    public double Evaluate()
    {
        if (evaluation is null) throw new InvalidOperationException("The trainer was given no held-out data to evaluate on.");
        using var judged = UseEvaluationWeights();
        return evaluation.MeanLoss();
    }

    /// <summary>
    /// Puts the weights that the model is judged by into it until the returned is disposed: the averaged ones, or those of a
    /// schedule-free optimizer; elsewhere they are the weights as they are.
    /// </summary>
    public IDisposable UseEvaluationWeights()
    {
        optimizer.Evaluate();
        var averaged = average?.Use();
        return new Ending(() =>
        {
            averaged?.Dispose();
            optimizer.Train();
        });
    }

    /// <summary>Trains from where the last run stopped to the last step, a step for each report taken.</summary>
    /// <param name="cancel">Ends the run after the step at hand.</param>
    /// <exception cref="ArgumentException">A batch is empty or does not fit, or the loss is not one number; the model is as it was before that step.</exception>
    /// <exception cref="ArithmeticException">The loss became infinite or NaN, with the module where that began; the model is as it was before that step.</exception>
    /// <exception cref="IOException">
    /// The checkpoint folder belongs to another run or cannot be written. A step whose checkpoint fails is done: a later run goes on.
    /// </exception>
    public IEnumerable<StepReport> Run(CancellationToken cancel = default)
    {
        using var writing = options.Checkpoints is { } place && IsFirst ? CheckpointStore.Open(place, Step) : null;
        using var memory = new HeapMaintenance();
        using var batches = loader.Batches().GetEnumerator();
        var pace = new RunPace(Step);
        var taken = new List<Batch>(options.Accumulation);
        while (Step < options.Steps && !StoppedEarly && !cancel.IsCancellationRequested)
        {
            pace.Start();
            for (taken.Clear(); taken.Count < options.Accumulation;)
            {
                batches.MoveNext();
                taken.Add(batches.Current);
            }
            pace.HaveData();
            memory.StepBegins();
            var rate = schedule(Step + 1);
            var result = step.Take(taken, Step + 1, rate);
            average?.Update();
            Step++;
            pace.Stop(result.Targets * (options.Workers?.WorldSize ?? 1));
            var heldOut = Due(options.EvaluateEvery) && evaluation is not null ? HeapMaintenance.Evaluate(Evaluate) : (double?)null;
            var improved = heldOut is { } loss && Improves(loss);
            var report = pace.Report(Step, options.Steps, result, rate, heldOut);
            reports.Add(report);
            if (options.Checkpoints is { } checkpoints && (Due(checkpoints.Every) || (improved && checkpoints.Best)))
                Checkpoint.Save(this, writing, Due(checkpoints.Every), improved && checkpoints.Best);
            yield return report;
        }
    }

    /// <summary>Goes on from a checkpoint: model, optimizer, averages, data order, random numbers and step are as they were.</summary>
    /// <param name="folder">A checkpoint, or a folder of checkpoints, of which the last is taken.</param>
    /// <exception cref="DirectoryNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is damaged, belongs to another model or optimizer, or is of a run of more or fewer processes; the trainer is as it was.
    /// </exception>
    public void Resume(string folder) => Checkpoint.Load(folder, this);

    /// <summary>Puts the weights with the lowest held-out loss of a run into the model; for use, not to go on from.</summary>
    /// <exception cref="DirectoryNotFoundException">The run kept none.</exception>
    public void RestoreBest() => Checkpoint.LoadBest(options.Checkpoints?.Folder
        ?? throw new InvalidOperationException("The trainer was given no folder for checkpoints."), this);

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        average?.Dispose();
    }

    internal nn.Module Model => model;
    internal Optimizer Optimizer => optimizer;
    internal WeightAverage? Average => average;
    internal LossScale Scale => step.Scale;
    internal BatchLoader Loader => loader;
    internal ICommunicator? Workers => options.Workers;

    internal void ContinueFrom(int step, BestEvaluation best, string? note)
    {
        Step = step;
        Best = best;
        ResumeNote = note;
    }

    private bool IsFirst => options.Workers is not { Rank: > 0 };

    private bool Due(int? every) => every is { } steps && (Step % steps == 0 || Step == options.Steps);

    private bool Improves(double loss)
    {
        var better = !(loss >= Best.Loss);
        Best = better ? new BestEvaluation(Step, loss, 0) : Best with { Since = Best.Since + 1 };
        return better;
    }

    private void ShareWeights(ICommunicator workers)
    {
        using var noGrad = no_grad();
        Compute.Kernels = workers.SameKernels();
        workers.Broadcast([.. model.parameters(), .. model.buffers()], from: 0);
    }

    private static Tensor Output(nn.Module<Tensor, Tensor> model, Batch batch, Precision precision)
    {
        using var mixed = precision.Begin(batch.Inputs.device);
        return model.call(batch.Inputs).Full();
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
