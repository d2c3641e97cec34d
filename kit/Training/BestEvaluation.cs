namespace ResearchKit.Training;

/// <summary>The best evaluation of a run so far.</summary>
/// <param name="Step">The step after which it was; 0 for none.</param>
/// <param name="Loss">Mean loss on held-out data.</param>
/// <param name="Since">Evaluations since then.</param>
public readonly record struct BestEvaluation(int Step, double Loss, int Since)
{
    /// <summary>Value of the metric that chose it (<see cref="TrainerOptions.BestBy"/>); the loss where no metric was given, NaN for none.</summary>
    public double Value { get; init; } = double.NaN;

    /// <summary>There was no evaluation yet.</summary>
    public static BestEvaluation None => new(0, double.PositiveInfinity, 0);
}
