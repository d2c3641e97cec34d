namespace ResearchKit.Training;

/// <summary>
/// Dynamic loss scaling for float16: the largest factor for the loss with which gradients do not overflow.
/// </summary>
/// <remarks>
/// Micikevicius et al., 2018, https://arxiv.org/abs/1710.03740; the numbers are those of <c>torch.amp.GradScaler</c>.
/// </remarks>
internal sealed class LossScale
{
    private const double Growth = 2, Backoff = 0.5;
    private const int Interval = 2000;

    /// <summary>Factor by which the loss is multiplied.</summary>
    public double Value { get; private set; } = 65536;

    /// <summary>Number of steps since the last overflow or increase.</summary>
    public int Good { get; private set; }

    /// <summary>
    /// Updates the factor after a step. If the gradients were not finite, the caller must skip the step.
    /// </summary>
    public void Note(bool finite)
    {
        if (finite && ++Good != Interval) return;
        Value *= finite ? Growth : Backoff;
        Good = 0;
    }

    /// <summary>Restores the state from a checkpoint.</summary>
    public void Restore(double value, int good)
    {
        Value = value;
        Good = good;
    }
}
