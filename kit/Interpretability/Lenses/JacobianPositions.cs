namespace ResearchKit.Interpretability;

/// <summary>Which Jacobians a <see cref="JacobianLens"/> averages.</summary>
public enum JacobianPositions
{
    /// <summary>
    /// What a position adds to the final streams of its own and of all later positions: the sum over those, the mean over all
    /// positions and texts. One backward pass for each channel.
    /// </summary>
    OwnAndLater,

    /// <summary>
    /// What a position adds to its own final stream: the mean over all positions and texts. Each text is read once for each
    /// position.
    /// </summary>
    Own,
}
