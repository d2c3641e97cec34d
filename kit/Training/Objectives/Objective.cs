using ResearchKit.Data;
using ResearchKit.Metrics;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Result of an objective for a batch: the loss, and the outputs that metrics compare with targets.
/// </summary>
/// <param name="Loss">Mean loss and its count.</param>
public sealed record Outcome(Loss Loss)
{
    private readonly Dictionary<string, Tensor> outputs = [];

    /// <summary>A loss, and the model's only output.</summary>
    public Outcome(Loss loss, Tensor output) : this(loss) => outputs[Reported.OutputName] = output;

    /// <summary>
    /// Gets or sets an output by name: <c>new Outcome(loss) { ["classes"] = logits, ["boxes"] = boxes }</c>.
    /// </summary>
    /// <exception cref="KeyNotFoundException">
    /// There is no output of that name; the message lists those that exist.
    /// </exception>
    public Tensor this[string name]
    {
        get => outputs.TryGetValue(name, out var output) ? output
            : throw new KeyNotFoundException($"The objective has no output '{name}'; it has "
                + $"{(outputs.Count == 0 ? "none" : string.Join(", ", outputs.Keys))}.");
        init => outputs[name] = value;
    }
}

/// <summary>A metric of an objective, with the output and the tensor of the batch that it compares.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Output">Name of the output in <see cref="Outcome"/>.</param>
/// <param name="Target">Name of the tensor in <see cref="Batch"/>.</param>
public sealed record Reported(Metric<Tensor> Metric, string Output = Reported.OutputName, string Target = Batch.TargetsName)
{
    /// <summary>Name of the only output.</summary>
    public const string OutputName = "output";

    /// <summary>A metric of the only output and the targets.</summary>
    public static implicit operator Reported(Metric<Tensor> metric) => new(metric);
}

/// <summary>
/// Training objective: how to compute the loss of a batch, the unit of the loss, and the metrics that
/// evaluations report.
/// </summary>
/// <remarks>
/// <c>new Objective(batch => Losses.CrossEntropy(model.Classify(batch.Inputs, batch["lengths"]),
/// batch.Targets), "nats per clip")</c>. Reports, curves and records take the unit from here.
/// </remarks>
public sealed class Objective
{
    private readonly Func<nn.Module, Batch, Precision, Outcome> compute;

    /// <summary>An objective of any model, without metrics.</summary>
    /// <param name="loss">Computes the loss of a batch.</param>
    /// <param name="unit">Unit of the loss, such as "nats per token".</param>
    public Objective(Func<Batch, Loss> loss, string unit = DefaultUnit) : this(batch => new Outcome(loss(batch)), unit)
    {
    }

    /// <summary>An objective of any model.</summary>
    /// <param name="compute">Computes the loss and the outputs of a batch.</param>
    /// <param name="unit">Unit of the loss, such as "nats per token".</param>
    /// <param name="metrics">Metrics that evaluations report, of outputs that <paramref name="compute"/> names.</param>
    public Objective(Func<Batch, Outcome> compute, string unit = DefaultUnit, params IReadOnlyList<Reported> metrics)
        : this((_, batch, precision) =>
        {
            using var mixed = precision.Begin(batch.Inputs.device);
            return compute(batch);
        }, unit, metrics)
    {
    }

    private Objective(Func<nn.Module, Batch, Precision, Outcome> compute, string unit, IReadOnlyList<Reported> metrics)
    {
        this.compute = compute;
        Unit = unit;
        Metrics = metrics;
    }

    internal const string DefaultUnit = "nats per token";

    /// <summary>Unit of the loss.</summary>
    public string Unit { get; }

    /// <summary>Metrics that evaluations report.</summary>
    public IReadOnlyList<Reported> Metrics { get; }

    /// <summary>
    /// Classification of each example: cross entropy in nats, and accuracy. Logits [batch, classes], targets int64
    /// [batch].
    /// </summary>
    public static Objective Classification { get; } = Of(Losses.CrossEntropy, "nats per example", Metric.Accuracy);

    /// <summary>
    /// Language modelling, the next token at each position: cross entropy in nats, and perplexity. Logits [batch,
    /// time, vocabulary], targets int64 [batch, time].
    /// </summary>
    public static Objective LanguageModel { get; } = Of(Losses.CrossEntropy, DefaultUnit, Metric.Perplexity);

    /// <summary>Regression: mean squared error, mean absolute error and R².</summary>
    public static Objective Regression { get; } =
        Of(Losses.SquaredError, "squared unit of the targets", Metric.MeanAbsoluteError, Metric.RSquared);

    /// <summary>An objective of any model from one tensor to one: the loss of (output, targets).</summary>
    /// <param name="loss">Loss function, such as <see cref="Losses.CrossEntropy(Tensor, Tensor)"/>; computes in float32.</param>
    /// <param name="unit">Unit of the loss.</param>
    /// <param name="metrics">Metrics that evaluations report, of the output and the targets.</param>
    public static Objective Of(Func<Tensor, Tensor, Loss> loss, string unit = DefaultUnit,
        params IReadOnlyList<Reported> metrics) =>
        new((model, batch, precision) =>
        {
            var output = Output((nn.Module<Tensor, Tensor>)model, batch.Inputs, precision);
            return new Outcome(loss(output, batch.Targets), output);
        }, unit, metrics);

    /// <inheritdoc cref="Of(Func{Tensor, Tensor, Loss}, string, IReadOnlyList{Reported})"/>
    /// <remarks>
    /// The function returns only the mean, whose count is then the number of targets that are not -100. Return a
    /// <see cref="Loss"/> if another count is right.
    /// </remarks>
    public static Objective Of(Func<Tensor, Tensor, Tensor> loss, string unit = DefaultUnit,
        params IReadOnlyList<Reported> metrics) =>
        Of((output, targets) => Loss.OverTargets(loss(output, targets), targets), unit, metrics);

    /// <summary>
    /// The same objective, with a change of each batch that is made in training only, such as <see cref="Mixing.Mixup"/>.
    /// </summary>
    /// <param name="change">
    /// From a batch on the model's device to another one; called in a dispose scope, without ownership of the batch.
    /// </param>
    public Objective WithTraining(Func<Batch, Batch> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return new((model, batch, precision) => compute(model, model.training ? change(batch) : batch, precision), Unit, Metrics);
    }

    /// <summary>Computes the loss and the outputs of a batch.</summary>
    internal Outcome Compute(nn.Module model, Batch batch, Precision precision) => compute(model, batch, precision);

    private static Tensor Output(nn.Module<Tensor, Tensor> model, Tensor inputs, Precision precision)
    {
        using var mixed = precision.Begin(inputs.device);
        return model.call(inputs).Full();
    }
}
