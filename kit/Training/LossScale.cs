namespace ResearchKit.Training;

/// <summary>How much larger the loss is made in float16: as large as gradients bear without overflow.</summary>
/// <remarks>
/// Micikevicius et al., 2018, https://arxiv.org/abs/1710.03740; the numbers are those of <c>torch.amp.GradScaler</c>.
/// </remarks>
internal sealed class LossScale
{
    private const double Growth = 2, Backoff = 0.5;
    private const int Interval = 2000;

    /// <summary>What the loss is multiplied by.</summary>
    public double Value { get; private set; } = 65536;

    /// <summary>Steps since the last overflow or growth.</summary>
    public int Good { get; private set; }

    /// <summary>Notes whether a step's gradients were finite; where not, the step must be left out.</summary>
    public void Note(bool finite)
    {
        if (finite && ++Good != Interval) return;
        Value *= finite ? Growth : Backoff;
        Good = 0;
    }

    /// <summary>Goes on from a checkpoint.</summary>
    public void Restore(double value, int good)
    {
        Value = value;
        Good = good;
    }
}
