namespace ResearchKit.Metrics;

/// <summary>A number that says how good predictions are. It is a function of sums over examples, so that it does not depend on
/// how the examples were divided into batches or among ranks.</summary>
/// <typeparam name="T">Predictions and targets: a tensor for a batch, or a text for each example.</typeparam>
/// <remarks>
/// A metric of your own takes two functions, as in
/// <c>new Metric&lt;Tensor&gt;("bias", "kg", (output, target) => new((output - target).sum().item&lt;double&gt;(),
/// target.numel()), state => state.Sums[0] / state.Sums[1])</c>.
/// </remarks>
/// <param name="name">Name in reports, curves and run records, such as <c>accuracy</c>.</param>
/// <param name="unit">Unit of the value, such as <c>share</c> or <c>nats per token</c>.</param>
/// <param name="measure">Computes the state of one batch from (predictions, targets).</param>
/// <param name="value">Computes the value from the sum of all states; NaN where it is undefined.</param>
/// <param name="higherIsBetter">Whether a larger value is better; decides which checkpoint is the best.</param>
public sealed class Metric<T>(string name, string unit, Func<T, T, MetricState> measure, Func<MetricState, double> value,
    bool higherIsBetter = true)
{
    /// <summary>Name in reports, curves and run records.</summary>
    public string Name { get; } = name;

    /// <summary>Unit of the value.</summary>
    public string Unit { get; } = unit;

    /// <summary>Whether a larger value is better.</summary>
    public bool HigherIsBetter { get; } = higherIsBetter;

    /// <summary>Counts one batch.</summary>
    public MetricState Measure(T predictions, T targets) => measure(predictions, targets);

    /// <summary>The value of a sum of states; NaN where it is undefined, such as the accuracy of no example.</summary>
    public double Value(MetricState state) => value(state);

    /// <summary>The value of one batch.</summary>
    public double Of(T predictions, T targets) => Value(Measure(predictions, targets));

    /// <summary>The value of several batches together.</summary>
    /// <exception cref="ArgumentException">There is no batch.</exception>
    public double Of(IEnumerable<(T Predictions, T Targets)> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        MetricState? total = null;
        foreach (var (predictions, targets) in batches)
            total = total is null ? Measure(predictions, targets) : total + Measure(predictions, targets);
        return total is null ? throw new ArgumentException($"{Name} was asked of no batch.", nameof(batches)) : Value(total);
    }

    /// <summary>Whether one value is better than another. NaN is never better.</summary>
    public bool IsBetter(double value, double than) =>
        !double.IsNaN(value) && (double.IsNaN(than) || (HigherIsBetter ? value > than : value < than));

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Unit}, {(HigherIsBetter ? "higher" : "lower")} is better)";
}
