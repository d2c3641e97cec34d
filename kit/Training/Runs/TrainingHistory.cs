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

    /// <inheritdoc/>
    public override string ToString() => Reports.Count == 0 ? $"{Name}: no step yet" : $"{Name}: {Reports[^1]}";
}
