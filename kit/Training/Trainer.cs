using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Trains a model: in each step, loss and gradients of a batch, gradient clipping, and an optimizer step.
/// </summary>
/// <remarks>
/// The caller runs the loop: <c>foreach (var report in trainer.Run()) …</c>. A step is taken when its report is
/// requested. After the loop is left, a later <see cref="Run"/> continues with the next step. In data-parallel
/// training, all ranks start with the weights of rank 0, and each then has its own random stream, so that
/// dropout differs between them.
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
    private readonly Device device;
    private readonly Func<int, double> schedule;
    private readonly List<StepReport> reports = [];
    private bool stops, improved;
    private int saved;

    /// <summary>Trains a model for an objective.</summary>
    /// <param name="model">The model, on any device; the caller keeps ownership.</param>
    /// <param name="objective">Loss, unit and metrics, such as <see cref="Objective.Classification"/> or
    /// <see cref="Objectives.Of(Models.T5)"/>.</param>
    /// <param name="loader">Training batches; each rank of several has its share.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="heldOut">Held-out examples; null for no evaluation.</param>
    /// <exception cref="ArgumentException">
    /// Options are out of range, the model has no parameters to train, the held-out data is empty, or
    /// <see cref="TrainerOptions.BestBy"/> is not a metric of the objective.
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
            throw new ArgumentException($"The model {model.GetName()} has no parameters that require gradients; "
                + "expected at least one.", nameof(model));
        if (heldOut is { Count: 0 }) throw new ArgumentException("The held-out data holds no example.", nameof(heldOut));
        if (options.BestBy is { } best && objective.Metrics.All(one => one.Metric.Name != best.Name))
            throw new ArgumentException($"BestBy is {best.Name}; the objective reports "
                + $"{(objective.Metrics.Count == 0 ? "no metric" : string.Join(", ", objective.Metrics.Select(one => one.Metric.Name)))}.");
        Outcome Compute(Batch batch) => objective.Compute(model, batch, options.Precision);
        device = model.parameters().First().device;
        optimizer = options.MakeOptimizer(model);
        schedule = options.Rates;
        Warnings = [.. options.Doubts(optimizer)];
        step = new TrainingStep(model, batch => Compute(batch).Loss, optimizer, options, number =>
        {
            foreach (var callback in options.Callbacks) callback.GradientsReady(this, number);
        });
        average = options.AverageDecay is { } decay ? new WeightAverage(model, decay) : null;
        if (heldOut is not null)
            evaluation = new Evaluation(model, Compute, objective.Unit, objective.Metrics, heldOut, loader.BatchSize,
                options.EvaluationBatches, options.Workers);
        if (options.Workers is not { WorldSize: > 1 } workers) return;
        ShareWeights(workers);
        RandomState.Part(workers);
    }

    /// <summary>Number of steps done.</summary>
    public int Step { get; private set; }

    /// <summary>
    /// The best evaluation so far, by <see cref="TrainerOptions.BestBy"/> or the held-out loss, with its step and
    /// the number of evaluations since.
    /// </summary>
    public BestEvaluation Best { get; private set; } = BestEvaluation.None;

    /// <summary>
    /// Warnings about options that are probably mistakes, one sentence each: a warm-up longer than the run, a
    /// schedule that ends early, a learning rate that is set twice. <see cref="Run"/> writes them to standard error
    /// before its first step.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>
    /// What could not be restored when resuming, in one sentence each: native kernels that another machine lacks, a
    /// damaged history. Null for nothing.
    /// </summary>
    public string? ResumeNote { get; private set; }

    /// <summary>True once the run has ended because the evaluations stopped improving (early stopping).</summary>
    public bool StoppedEarly => options.Patience is { } patience && Best.Since >= patience;

    /// <summary>
    /// Ends the run after the step at hand, with a checkpoint; called by a callback, with an evaluation too. A later
    /// <see cref="Run"/> goes on.
    /// </summary>
    public void Stop() => stops = true;

    /// <summary>The model.</summary>
    public nn.Module Model => model;

    /// <summary>
    /// Returns the reports so far as the history of a run; after a resume, with those before it.
    /// </summary>
    /// <param name="name">Name of the run in legends.</param>
    /// <param name="lossUnit">Unit of the loss; null for the objective's.</param>
    public TrainingHistory History(string name = "training", string? lossUnit = null) =>
        new(name, [.. reports], lossUnit ?? objective.Unit);

    /// <summary>
    /// Trains to the last step and returns the history of the run: <see cref="Run"/> without handling each step.
    /// </summary>
    /// <param name="progress">Receives the report of every step; null for none.</param>
    /// <param name="cancel">Ends the run after the current step.</param>
    /// <inheritdoc cref="Run" path="/exception"/>
    public TrainingHistory Fit(IProgress<StepReport>? progress = null, CancellationToken cancel = default)
    {
        foreach (var report in Run(cancel)) progress?.Report(report);
        return History();
    }

    /// <summary>
    /// Returns the ceiling of <see cref="StepReport.OperationsPerSecond"/>: the FLOPs per second of the model's
    /// device in products of large matrices, in the precision of the run, times the number of processes.
    /// </summary>
    /// <remarks>
    /// <c>trainer.Run().Watch(operationsPerSecond: trainer.PeakMatmulRate())</c>. The first call in a process
    /// measures it, in well under a second; do not make it in the middle of a run.
    /// </remarks>
    public double PeakMatmulRate() =>
        Native.PeakMatmulRate.Of(model.parameters().First().device, options.Precision.Type()) * (options.Workers?.WorldSize ?? 1);

    /// <summary>Computes the mean loss on held-out data with the evaluation weights.</summary>
    /// <exception cref="InvalidOperationException">The trainer has no held-out data.</exception>
    public double Evaluate() => EvaluateAll().Loss;

    /// <summary>Computes the mean loss and metrics on held-out data with the evaluation weights.</summary>
    /// <exception cref="InvalidOperationException">The trainer has no held-out data.</exception>
    public EvaluationReport EvaluateAll()
    {
        if (evaluation is null)
            throw new InvalidOperationException("The trainer has no held-out data to evaluate on; "
                + "pass some to its constructor.");
        using var weights = UseEvaluationWeights();
        return evaluation.Run();
    }

    /// <summary>
    /// Puts the evaluation weights into the model until the returned object is disposed: the averaged weights (EMA)
    /// or those of a schedule-free optimizer, if the run has them, else the current weights.
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

    /// <summary>
    /// Resumes from a checkpoint: restores model, optimizer, averages, data order, random numbers and step.
    /// </summary>
    /// <param name="folder">A checkpoint, or a folder of checkpoints, of which the last is used.</param>
    /// <exception cref="DirectoryNotFoundException">There is no checkpoint.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is damaged, or it belongs to another model, optimizer, seed, batch size or data, or to a run with
    /// another number of processes; the trainer is unchanged.
    /// </exception>
    /// <param name="otherRun">
    /// Whether to accept a checkpoint of another optimizer, seed, batch size, accumulation or data: the weights and
    /// the step are restored, and the run continues with this trainer's settings.
    /// </param>
    public void Resume(string folder, bool otherRun = false) => Checkpoint.Load(folder, this, otherRun);

    /// <summary>Resumes from the last checkpoint of a folder if there is one.</summary>
    /// <returns>False if there is none: the run then starts at the first step.</returns>
    /// <inheritdoc cref="Resume(string, bool)"/>
    public bool TryResume(string folder)
    {
        if (!Checkpoint.Exists(folder)) return false;
        Resume(folder);
        return true;
    }

    /// <summary>
    /// Loads the weights of the best evaluation of the run into the model, for use, not for further training.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The run has no best checkpoint.</exception>
    public void RestoreBest() => Checkpoint.LoadBest(options.Checkpoints?.Folder
        ?? throw new InvalidOperationException("The trainer has no folder for checkpoints; "
            + "set TrainerOptions.Checkpoints."), this);

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
    internal int Steps => options.Steps;
    internal bool HasHeldOut => evaluation is not null;
    internal bool Evaluates => evaluation is not null && options.EvaluateEvery is not null;
    internal string? CheckpointFolder => options.Checkpoints?.Folder;
    internal Metrics.Metric<Tensor>? BestBy => options.BestBy;

    /// <summary>A step after which the run stops as if a callback had stopped it; null for none.</summary>
    internal int? StopAt { get; set; }

    internal int Accumulation => options.Accumulation;
    internal long? AccumulationTargets => options.AccumulationTargets;
    internal ICommunicator? Workers => options.Workers;

    internal IReadOnlyList<StepReport> Reports => reports;

    internal void ContinueFrom(int step, BestEvaluation best, string? note, IReadOnlyList<StepReport> history)
    {
        Step = step;
        saved = step;
        Best = best;
        ResumeNote = note;
        reports.Clear();
        reports.AddRange(history);
    }

    private void ShareWeights(ICommunicator workers)
    {
        using var noGrad = no_grad();
        Compute.Kernels = workers.SameKernels();
        workers.Broadcast([.. model.parameters(), .. model.buffers()], from: 0);
    }
}
