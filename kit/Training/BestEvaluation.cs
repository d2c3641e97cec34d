namespace ResearchKit.Training;

/// <summary>The best evaluation of a run so far.</summary>
/// <param name="Step">Step after which it took place; 0 for none.</param>
/// <param name="Loss">Mean loss on held-out data.</param>
/// <param name="Since">Number of evaluations since then.</param>
public readonly record struct BestEvaluation(int Step, double Loss, int Since)
{
    /// <summary>
    /// Value of the metric by which evaluations are compared (<see cref="TrainerOptions.BestBy"/>); the loss if no
    /// metric was given, NaN for none.
    /// </summary>
    public double Value { get; init; } = double.NaN;

    /// <summary>The value before the first evaluation.</summary>
    public static BestEvaluation None => new(0, double.PositiveInfinity, 0);
}
