using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// A training step: gradients of one or more batches, gradient clipping, and an optimizer step.
/// </summary>
internal sealed class TrainingStep
{
    private readonly nn.Module model;
    private readonly Func<Batch, Loss> objective;
    private readonly Optimizer optimizer;
    private readonly TrainerOptions options;
    private readonly Action<int> gradientsReady;
    private readonly Device device;
    private readonly Parameter[] parameters;
    private double? operationsPerTarget;

    /// <param name="model">The model.</param>
    /// <param name="objective">Computes the loss of a batch.</param>
    /// <param name="optimizer">Updates the weights.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="gradientsReady">Called with the number of the step when its gradients are complete.</param>
    public TrainingStep(nn.Module model, Func<Batch, Loss> objective, Optimizer optimizer, TrainerOptions options,
        Action<int> gradientsReady)
    {
        this.gradientsReady = gradientsReady;
        this.model = model;
        this.objective = objective;
        this.optimizer = optimizer;
        this.options = options;
        parameters = [.. model.parameters()];
        device = parameters[0].device;
        operationsPerTarget = options.OperationsPerTarget;
    }

    /// <summary>Loss scaling; used only in float16.</summary>
    public LossScale Scale { get; } = new();

    /// <summary>Result of a step.</summary>
    public readonly record struct Result(
        double Loss, double GradientNorm, long Targets, double OperationsPerTarget, IReadOnlyList<ModuleNorms>? Norms,
            bool Skipped, GradientNoise? Noise);

    /// <summary>Takes a step.</summary>
    /// <param name="batches">The batches, whose gradients are summed; they are disposed.</param>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="learningRate">Learning rate of the step.</param>
    /// <exception cref="ArgumentException">
    /// A batch is empty, or the loss is not a scalar that depends on the model's parameters; no weight has changed.
    /// </exception>
    /// <exception cref="ArithmeticException">
    /// The loss or a gradient is not finite; no weight has changed.
    /// </exception>
    public Result Take(IReadOnlyList<Batch> batches, int step, double learningRate)
    {
        List<Batch> here = [.. batches.Select(batch => batch.To(device))];
        try
        {
            if (here.FirstOrDefault(batch => batch.Inputs.numel() == 0) is { } empty)
                throw new ArgumentException($"Step {step} got a {empty}: there is no example in it.");
            return TakeHere(here, step, learningRate);
        }
        finally
        {
            foreach (var batch in here) batch.Dispose();
        }
    }

    private Result TakeHere(List<Batch> batches, int step, double learningRate)
    {
        using var scope = NewDisposeScope();
        if (!model.training) model.train();
        optimizer.ZeroGrad();
        var scaled = options.Precision == Precision.Float16;
        var scale = scaled ? Scale.Value : 1;
        var together = batches.Count > 1 || options.Workers is { WorldSize: > 1 };
        using var norms = options.NormsEvery is { } every && step % every == 0 ? new NormWatch(model) : null;
        var parts = new Parts();
        foreach (var batch in batches) Differentiate(batch, parts, scale, together);
        var all = together ? Total(parts.Count) : parts.Count;
        var loss = together ? Total(parts.Sum) / all : parts.Sum / parts.Count;
        if (all > 0 && !double.IsFinite(loss))
            throw NotFinite("loss", loss, step, FiniteCheck.Blame(model, () => Blame(batches)));

        if (together && parts.Count > 0) GradientClip.Scale(GradientClip.Gradients(parameters), parts.Reference / all);
        if (options.MeasuresNoise && options.Workers is { WorldSize: > 1 }) NoteRank(parts, all);
        var gradients = WorkerGradients.Of(parameters, options.Workers);
        if (scaled) GradientClip.Scale(gradients, 1 / scale);
        gradientsReady(step);
        var norm = GradientClip.Norm(gradients);
        var finite = double.IsFinite(norm);
        if (scaled) Scale.Note(finite);
        else if (!finite) throw NotFinite("gradient", norm, step, FiniteCheck.BlameGradient(model));
        var seen = norms?.Read();
        if (finite)
        {
            if (options.GradientClip / (norm + GradientClip.Epsilon) is { } factor and < 1) GradientClip.Scale(gradients, factor);
            optimizer.LearningRate = learningRate;
            optimizer.Step();
        }
        return new Result(loss, norm, batches.Sum(batch => batch.Targets.numel()), operationsPerTarget!.Value, seen, !finite,
            Noise(parts, all, norm, scale));
    }

    /// <summary>
    /// The gradient of this rank is a small batch: its squared norm, averaged over the ranks, whose counts need not be the same.
    /// </summary>
    private void NoteRank(Parts parts, double all)
    {
        var ranks = options.Workers!.WorldSize;
        var norm = parts.Count == 0 ? 0 : GradientClip.Norm(GradientClip.Gradients(parameters)) * all / parts.Count;
        parts.SmallNorm = Math.Sqrt(Total(norm * norm) / ranks);
        parts.SmallCount = ranks / Total(parts.Count == 0 ? 0 : 1 / parts.Count);
    }

    private GradientNoise? Noise(Parts parts, double all, double norm, double scale)
    {
        if (!options.MeasuresNoise || !(parts.SmallCount > 0 && parts.SmallCount < all) || !double.IsFinite(norm)) return null;
        var small = parts.SmallNorm / scale;
        return GradientNoise.Of(small * small, parts.SmallCount, norm * norm, all);
    }

    /// <summary>
    /// Sums over the batches of a step so far: Σ mean · count, Σ count, and the count by which gradients are
    /// divided until all counts are known.
    /// </summary>
    private sealed class Parts
    {
        public double Sum { get; private set; }

        public double Count { get; private set; }

        public double Reference { get; private set; }

        /// <summary>Norm of the gradient of a small batch, for the noise; multiplied by the loss scale.</summary>
        public double SmallNorm { get; set; }

        /// <summary>Targets of the small batch; 0 without one.</summary>
        public double SmallCount { get; set; }

        public void Add(double mean, double count)
        {
            if (Reference == 0) Reference = count;
            Sum += mean * count;
            Count += count;
        }
    }

    /// <summary>
    /// Adds the gradients of a batch, multiplied by the ratio of its count to that of the first batch; a batch
    /// without targets adds nothing.
    /// </summary>
    private void Differentiate(Batch batch, Parts parts, double scale, bool together)
    {
        using var scope = NewDisposeScope();
        var loss = operationsPerTarget is null ? CountedLoss(batch) : Loss(batch);
        var value = loss.Mean.dtype == float64 ? loss.Mean.item<double>() : loss.Mean.item<float>();
        var count = together || !double.IsFinite(value) ? loss.Count.to(float64).item<double>() : 1;
        if (count == 0) return;
        parts.Add(value, count);
        if (!double.IsFinite(value)) return;
        var factor = count / parts.Reference * scale;
        (factor == 1 ? loss.Mean : loss.Mean * factor).backward();
        if (!options.MeasuresNoise || !together || parts.SmallCount > 0 || options.Workers is { WorldSize: > 1 }) return;
        parts.SmallNorm = GradientClip.Norm(GradientClip.Gradients(parameters));   // so far the gradient of this batch alone
        parts.SmallCount = count;
    }

    private Loss CountedLoss(Batch batch)
    {
        Loss loss = null!;
        var forward = FlopCounter.While(model, () => loss = Loss(batch));
        operationsPerTarget = forward > 0 ? 3 * forward / batch.Targets.numel()
            : 6.0 * model.parameters().Where(parameter => parameter.dim() >= 2).Sum(parameter => parameter.numel());
        return loss;
    }

    private Loss Loss(Batch batch)
    {
        var loss = objective(batch);
        var mean = loss.Mean.Full();
        if (mean.numel() != 1)
            throw new ArgumentException($"The loss has the shape [{string.Join(", ", mean.shape)}]; it must be one number.");
        if (!mean.requires_grad) throw new ArgumentException("The loss does not depend on the model's parameters.");
        return loss with { Mean = mean };
    }

    private void Blame(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            objective(batch);
        }
    }

    /// <summary>Returns the sum of a number over all processes.</summary>
    private double Total(double value) => options.Workers.Total(value, device);

    private static ArithmeticException NotFinite(string what, double value, int step, string blame) => new(
        $"The {what} became {value.ToString(System.Globalization.CultureInfo.InvariantCulture)} at step {step}; the model is as it was before. {blame} A smaller learning rate or gradient clip may help.");
}
