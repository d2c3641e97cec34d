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
public sealed partial class Trainer : IDisposable
{
    private readonly nn.Module model;
    private readonly Objective objective;
    private readonly BatchLoader loader;
    private readonly Evaluation? evaluation;
    private readonly TrainerOptions options;
    private readonly Optimizer optimizer;
    private readonly WeightAverage? average;
    private readonly TrainingStep step;
    private readonly Func<int, double> schedule;
    private readonly List<StepReport> reports = [];
    private bool stops;

    /// <summary>Trains a model for an objective.</summary>
    /// <param name="model">The model, on any device; stays the caller's.</param>
    /// <param name="objective">Loss, unit and metrics, such as <see cref="Objective.Classification"/> or <see cref="Objectives.Of(Models.T5)"/>.</param>
    /// <param name="loader">Training batches; each rank of several has its share.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="heldOut">Held-out examples; null for no evaluation.</param>
    /// <exception cref="ArgumentException">
    /// Options out of range, a model without parameters to train, empty held-out data, or <see cref="TrainerOptions.BestBy"/> is not a metric
    /// of the objective.
    /// </exception>
    public Trainer(nn.Module model, Objective objective, BatchLoader loader, TrainerOptions options, IExamples? heldOut = null)
    {
        ArgumentNullException.ThrowIfNull(objective);
        Packing.Refuse(model, "trained");
        this.model = model;
        this.objective = objective;
        this.loader = loader;
        this.options = options.Validated();
        if (!model.parameters().Any(parameter => parameter.requires_grad))
            throw new ArgumentException($"The model {model.GetName()} has no parameter to train.", nameof(model));
        if (heldOut is { Count: 0 }) throw new ArgumentException("The held-out data holds no example.", nameof(heldOut));
        if (options.BestBy is { } best && objective.Metrics.All(one => one.Metric.Name != best.Name))
            throw new ArgumentException($"BestBy is {best.Name}; the objective reports "
                + $"{(objective.Metrics.Count == 0 ? "no metric" : string.Join(", ", objective.Metrics.Select(one => one.Metric.Name)))}.");
        Outcome Compute(Batch batch) => objective.Compute(model, batch, options.Precision);
        optimizer = options.MakeOptimizer(model);
        schedule = options.Rates;
        Warnings = [.. options.Doubts(optimizer)];
        step = new TrainingStep(model, batch => Compute(batch).Loss, optimizer, options);
        average = options.AverageDecay is { } decay ? new WeightAverage(model, decay) : null;
        if (heldOut is not null)
            evaluation = new Evaluation(model, Compute, objective.Unit, objective.Metrics, heldOut, loader.BatchSize, options.EvaluationBatches, options.Workers);
        if (options.Workers is not { WorldSize: > 1 } workers) return;
        ShareWeights(workers);
        RandomState.Part(workers);
    }

    /// <summary>Steps done.</summary>
    public int Step { get; private set; }

    /// <summary>The lowest held-out loss so far, and how long ago it was.</summary>
    public BestEvaluation Best { get; private set; } = BestEvaluation.None;

    /// <summary>
    /// What in the options is probably not meant, a sentence each: a warm-up longer than the run, a schedule that ends early, a learning rate
    /// that is set twice. <see cref="Run"/> writes them to standard error before its first step.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>What a resumed run could not take over from the one before, in one sentence: its kernels, on another machine; null for nothing.</summary>
    public string? ResumeNote { get; private set; }

    /// <summary>True once the run has ended for want of a new best.</summary>
    public bool StoppedEarly => options.Patience is { } patience && Best.Since >= patience;

    /// <summary>Ends the run after the step at hand; a later <see cref="Run"/> goes on.</summary>
    public void Stop() => stops = true;

    /// <summary>The model.</summary>
    public nn.Module Model => model;

    /// <summary>The reports so far, as the training curve of a run.</summary>
    /// <param name="name">What the run is called in a legend.</param>
    /// <param name="lossUnit">Unit of the loss; null for the objective's.</param>
    public TrainingHistory History(string name = "training", string? lossUnit = null) => new(name, [.. reports], lossUnit ?? objective.Unit);

    /// <summary>Trains to the last step and returns the training curve: <see cref="Run"/> for those who need nothing of a step.</summary>
    /// <param name="progress">Told of every step; null for nobody.</param>
    /// <param name="cancel">Ends the run after the step at hand.</param>
    /// <inheritdoc cref="Run" path="/exception"/>
    public TrainingHistory Fit(IProgress<StepReport>? progress = null, CancellationToken cancel = default)
    {
        foreach (var report in Run(cancel)) progress?.Report(report);
        return History();
    }

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
    public double Evaluate() => EvaluateAll().Loss;

    /// <summary>Mean loss and metrics on held-out data now; of the averaged weights where the run averages them.</summary>
    /// <exception cref="InvalidOperationException">The trainer was given no held-out data.</exception>
    public EvaluationReport EvaluateAll()
    {
        if (evaluation is null) throw new InvalidOperationException("The trainer was given no held-out data to evaluate on.");
        using var weights = UseEvaluationWeights();
        return evaluation.Run();
    }

    /// <summary>
    /// Puts the weights that the model is judged by into it until the returned is disposed: the averaged ones, or those of a
    /// schedule-free optimizer; elsewhere they are the weights as they are.
    /// </summary>
    public IDisposable UseEvaluationWeights()
    {
        optimizer.Evaluate();
        var averaged = average?.Use();
        return Disposable.Of(() =>
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
        if (reports.Count == 0 && IsFirst)
            foreach (var warning in Warnings) Console.Error.WriteLine(warning);
        using var writing = options.Checkpoints is { } place && IsFirst ? CheckpointStore.Open(place, Step) : null;
        using var memory = new HeapMaintenance();
        using var batches = loader.Batches().GetEnumerator();
        var pace = new RunPace(Step);
        stops = false;
        var taken = new List<Batch>(options.Accumulation);
        while (Step < options.Steps && !StoppedEarly && !stops && !cancel.IsCancellationRequested)
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
            foreach (var callback in options.Callbacks) callback.StepBegins(this, Step + 1);
            var result = step.Take(taken, Step + 1, rate);
            average?.Update();
            Step++;
            pace.Stop(result.Targets * (options.Workers?.WorldSize ?? 1));
            var heldOut = Due(options.EvaluateEvery) && evaluation is not null ? HeapMaintenance.Evaluate(EvaluateAll) : null;
            var improved = heldOut is not null && Improves(heldOut);
            var report = pace.Report(Step, options.Steps, result, rate, heldOut) with { LossUnit = objective.Unit };
            reports.Add(report);
            foreach (var callback in options.Callbacks) callback.StepEnds(this, report);
            if (options.Checkpoints is { } checkpoints && (Due(checkpoints.Every) || (improved && checkpoints.Best)))
                Checkpoint.Save(this, writing, Due(checkpoints.Every), improved && checkpoints.Best);
            yield return report;
        }
    }

    /// <summary>Goes on from a checkpoint: model, optimizer, averages, data order, random numbers and step are as they were.</summary>
    /// <param name="folder">A checkpoint, or a folder of checkpoints, of which the last is taken.</param>
    /// <exception cref="DirectoryNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is damaged, belongs to another model, optimizer, seed, batch size or data, or to a run of more or fewer processes; the trainer is
    /// as it was.
    /// </exception>
    /// <param name="otherRun">
    /// Whether a checkpoint of another optimizer, seed, batch size, accumulation or data is accepted: the weights and the step are taken over,
    /// and the run goes on with this trainer's settings.
    /// </param>
    public void Resume(string folder, bool otherRun = false) => Checkpoint.Load(folder, this, otherRun);

    /// <summary>Goes on from the last checkpoint of a folder if there is one.</summary>
    /// <returns>False where there is none: the run begins at the first step.</returns>
    /// <inheritdoc cref="Resume(string, bool)"/>
    public bool TryResume(string folder)
    {
        if (!Checkpoint.Exists(folder)) return false;
        Resume(folder);
        return true;
    }

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

    internal Optimizer Optimizer => optimizer;
    internal WeightAverage? Average => average;
    internal LossScale Scale => step.Scale;
    internal BatchLoader Loader => loader;
    internal int Accumulation => options.Accumulation;
    internal ICommunicator? Workers => options.Workers;

    internal void ContinueFrom(int step, BestEvaluation best, string? note)
    {
        Step = step;
        Best = best;
        ResumeNote = note;
    }

    private bool IsFirst => options.Workers is not { Rank: > 0 };

    private bool Due(int? every) => every is { } steps && (Step % steps == 0 || Step == options.Steps);

    private bool Improves(EvaluationReport now)
    {
        var value = options.BestBy is { } metric ? now[metric.Name].Value : now.Loss;
        var better = options.BestBy?.IsBetter(value, Best.Value) ?? value < Best.Loss;   // NaN never is
        Best = better ? new BestEvaluation(Step, now.Loss, 0) { Value = value } : Best with { Since = Best.Since + 1 };
        return better;
    }

    private void ShareWeights(ICommunicator workers)
    {
        using var noGrad = no_grad();
        Compute.Kernels = workers.SameKernels();
        workers.Broadcast([.. model.parameters(), .. model.buffers()], from: 0);
    }
}
