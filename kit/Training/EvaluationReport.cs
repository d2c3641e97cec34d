using System.Globalization;

namespace ResearchKit.Training;

/// <summary>A metric's value on held-out data.</summary>
/// <param name="Name">Name of the metric.</param>
/// <param name="Value">Its value; NaN where it is undefined.</param>
/// <param name="Unit">Its unit.</param>
public sealed record MetricValue(string Name, double Value, string Unit)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:0.000}");
}

/// <summary>An evaluation on held-out data.</summary>
/// <param name="Loss">Mean loss over all targets; NaN where there is none.</param>
/// <param name="LossUnit">Unit of the loss.</param>
/// <param name="Metrics">Values of the objective's metrics, in its order.</param>
public sealed record EvaluationReport(double Loss, string LossUnit, IReadOnlyList<MetricValue> Metrics)
{
    /// <summary>Number of examples that were evaluated.</summary>
    public long Examples { get; init; }

    /// <summary>What the loss counted: targets, or the sum of their weights. 0 if the examples have no target.</summary>
    public double Targets { get; init; } = double.NaN;

    /// <summary>A metric by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those there are.</exception>
    public MetricValue this[string name] => Metrics.FirstOrDefault(metric => metric.Name == name)
        ?? throw new KeyNotFoundException($"There is no metric '{name}'; there are "
            + $"{string.Join(", ", Metrics.Select(metric => metric.Name))}.");

    /// <inheritdoc/>
    public override string ToString() =>
        Targets == 0 ? string.Create(CultureInfo.InvariantCulture,
            $"there is no target in the {Examples} held-out examples that were evaluated, so that the loss is unknown")
        : string.Create(CultureInfo.InvariantCulture,
            $"loss {Loss:0.000} {LossUnit}{string.Concat(Metrics.Select(metric => $" · {metric}"))}");
}
