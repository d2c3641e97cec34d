using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>One step: the gradients of some batches together, clipped, and the optimizer's move along them.</summary>
internal sealed class TrainingStep
{
    private readonly nn.Module model;
    private readonly Func<Batch, Tensor> objective;
    private readonly Optimizer optimizer;
    private readonly TrainerOptions options;
    private readonly Device device;
    private readonly Parameter[] parameters;
    private double? operationsPerTarget;

    public TrainingStep(nn.Module model, Func<Batch, Tensor> objective, Optimizer optimizer, TrainerOptions options)
    {
        (this.model, this.objective, this.optimizer, this.options) = (model, objective, optimizer, options);
        parameters = [.. model.parameters().Where(parameter => parameter.requires_grad)];
        device = parameters[0].device;
        operationsPerTarget = options.OperationsPerTarget;
    }

    /// <summary>How much larger the loss is made; only in float16.</summary>
    public LossScale Scale { get; } = new();

    /// <summary>What a step did.</summary>
    public readonly record struct Result(
        double Loss, double GradientNorm, long Targets, double OperationsPerTarget, IReadOnlyList<ModuleNorms>? Norms, bool Skipped);

    /// <summary>Takes the step.</summary>
    /// <param name="batches">One, or several whose gradients are added up; disposed here.</param>
    /// <param name="step">Its number, from 1.</param>
    /// <param name="learningRate">Its learning rate.</param>
    /// <exception cref="ArgumentException">A batch is empty, or the loss is not one number of the model's parameters; no weight has moved.</exception>
    /// <exception cref="ArithmeticException">The loss or a gradient is not finite; no weight has moved.</exception>
    public Result Take(IReadOnlyList<Batch> batches, int step, double learningRate)
    {
        List<Batch> here = [.. batches.Select(batch => batch.To(device))];
        try
        {
            if (here.FirstOrDefault(batch => batch.Inputs.numel() == 0) is { } empty) throw new ArgumentException($"Step {step} got a {empty}: there is no example in it.");
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
        var counts = batches.Count == 1 && options.Workers is null ? [1] : Counts(batches);
        var all = Total(counts.Sum());
        using var norms = options.NormsEvery is { } every && step % every == 0 ? new NormWatch(model) : null;
        double loss = 0;
        for (var part = 0; part < batches.Count; part++)
            loss += Differentiate(batches[part], counts[part] / all, scale);
        loss = Total(loss);
        if (!double.IsFinite(loss)) throw NotFinite("loss", loss, step, FiniteCheck.Blame(model, () => Blame(batches)));

        var gradients = WorkerGradients.Of(parameters, options.Workers);
        if (scaled) GradientClip.Scale(gradients, 1 / scale);
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
        return new Result(loss, norm, batches.Sum(batch => batch.Targets.numel()), operationsPerTarget!.Value, seen, !finite);
    }

    /// <summary>Adds the gradients of a batch, in its share of the whole; gives its loss in that share.</summary>
    private double Differentiate(Batch batch, double share, double scale)
    {
        using var scope = NewDisposeScope();
        var loss = operationsPerTarget is null ? CountedLoss(batch) : Loss(batch);
        var value = loss.item<float>();
        if (float.IsFinite(value))
        {
            var factor = share * scale;
            (factor == 1 ? loss : loss * factor).backward();
        }
        return value * share;
    }

    private Tensor CountedLoss(Batch batch)
    {
        Tensor loss = null!;
        var forward = FlopCounter.While(model, () => loss = Loss(batch));
        operationsPerTarget = forward > 0 ? 3 * forward / batch.Targets.numel()
            : 6.0 * model.parameters().Where(parameter => parameter.dim() >= 2).Sum(parameter => parameter.numel());
        return loss;
    }

    private Tensor Loss(Batch batch)
    {
        var loss = objective(batch).Full();
        return loss.numel() == 1 && loss.requires_grad ? loss : throw new ArgumentException(loss.numel() == 1
            ? "The loss does not depend on the model's parameters."
            : $"The loss has the shape [{string.Join(", ", loss.shape)}]; it must be one number.");
    }

    private void Blame(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            objective(batch);
        }
    }

    /// <summary>The targets that count, of each batch: a mean over all of them weighs each batch by its own.</summary>
    private static double[] Counts(IReadOnlyList<Batch> batches)
    {
        using var scope = NewDisposeScope();
        return [.. batches.Select(batch => batch.Targets.dtype == ScalarType.Int64 ? batch.Targets.ne(-100).sum().item<long>() : (double)batch.Targets.numel())];
    }

    /// <summary>The sum over all processes.</summary>
    private double Total(double value) => options.Workers.Total(value, device);

    private static ArithmeticException NotFinite(string what, double value, int step, string blame) => new(
        $"The {what} became {value.ToString(System.Globalization.CultureInfo.InvariantCulture)} at step {step}; the model is as it was before. {blame} A smaller learning rate or gradient clip may help.");
}
