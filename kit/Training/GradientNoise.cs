namespace ResearchKit.Training;

/// <summary>
/// What one step says about the noise of its gradient: estimates without bias from the gradients of a small batch and of the
/// whole batch. Average many steps before you divide.
/// </summary>
/// <remarks>McCandlish et al., 2018, https://arxiv.org/abs/1812.06162, appendix A.1.</remarks>
/// <param name="SquaredNorm">|G|²: squared norm of the true gradient. Of a single step it may be negative.</param>
/// <param name="Variance">tr Σ: sum of the variances of the gradient of one target.</param>
public readonly record struct GradientNoise(double SquaredNorm, double Variance)
{
    /// <summary>Makes the estimates of a step.</summary>
    /// <param name="small">Squared norm of the gradient of a small batch; the mean over several.</param>
    /// <param name="smallCount">Targets of a small batch.</param>
    /// <param name="big">Squared norm of the gradient of the whole batch.</param>
    /// <param name="bigCount">Targets of the whole batch, more than those of a small one.</param>
    internal static GradientNoise Of(double small, double smallCount, double big, double bigCount) => new(
        ((bigCount * big) - (smallCount * small)) / (bigCount - smallCount),
        (small - big) / ((1 / smallCount) - (1 / bigCount)));
}
