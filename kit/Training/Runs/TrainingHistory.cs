namespace ResearchKit.Training;

/// <summary>The reports of one training run, from which loss curves are drawn.</summary>
/// <param name="Name">Name of the run in legends.</param>
/// <param name="Reports">The steps so far, in order.</param>
/// <param name="LossUnit">Unit of the loss, such as "nats per character".</param>
public sealed record TrainingHistory(string Name, IReadOnlyList<StepReport> Reports, string LossUnit = Objective.DefaultUnit)
{
    /// <summary>Evaluations on held-out data, (step, loss), in order.</summary>
    public IEnumerable<(int Step, double Loss)> HeldOut =>
        Reports.Where(report => report.HeldOutLoss is not null).Select(report => (report.Step, report.HeldOutLoss!.Value));

    /// <summary>Values of a metric on held-out data, (step, value), in order; empty if there are none.</summary>
    /// <param name="name">Name of the metric, such as <c>accuracy</c>.</param>
    public IEnumerable<(int Step, double Value)> Metric(string name) =>
        from report in Reports
        from metric in report.Metrics ?? []
        where metric.Name == name
        select (report.Step, metric.Value);

    /// <summary>Names of the metrics, in the order in which they first occur.</summary>
    public IEnumerable<string> MetricNames =>
        Reports.SelectMany(report => report.Metrics ?? []).Select(metric => metric.Name).Distinct();

    /// <summary>
    /// Gradient noise scale B = tr Σ / |G|², in targets: a batch much smaller than this is mostly noise, and one much larger
    /// saves few steps.
    /// </summary>
    /// <param name="last">Number of steps to average over, up to the last one; it grows during a run.</param>
    /// <returns>NaN if no step measured it, or if the noise hides the gradient.</returns>
    /// <remarks>
    /// B_simple of McCandlish et al., 2018, https://arxiv.org/abs/1812.06162: a ratio of means. Needs
    /// <see cref="TrainerOptions.MeasuresNoise"/>. Targets of one sequence are not independent, so that batches of sequences
    /// give a value in whole sequences, expressed in targets.
    /// </remarks>
    public double NoiseScale(int last = 200)
    {
        var measured = Reports.Select(report => report.Noise).OfType<GradientNoise>().TakeLast(last).ToList();
        if (measured.Count == 0) return double.NaN;
        var gradient = measured.Average(one => one.SquaredNorm);
        return gradient > 0 ? measured.Average(one => one.Variance) / gradient : double.NaN;
    }

    /// <inheritdoc/>
    public override string ToString() => Reports.Count == 0 ? $"{Name}: no step yet" : $"{Name}: {Reports[^1]}";
}
