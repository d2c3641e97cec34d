using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>How a scaling law is fitted.</summary>
public sealed record FitOptions
{
    /// <summary>
    /// Threshold of the Huber loss on the logarithm of the loss; infinite for least squares. Hoffmann et al. use 0.001.
    /// </summary>
    public double Delta { get; init; } = 1e-3;

    /// <summary>
    /// Starts of the fit, as (log A, log B, log E, α, β); null for the grid of 4,500 of Hoffmann et al., 2022.
    /// </summary>
    public IReadOnlyList<(double LogA, double LogB, double LogE, double Alpha, double Beta)>? Starts { get; init; }

    /// <summary>
    /// Share of the points, those of the most operations, that a second fit does not see, to state its error on them; 0 for
    /// none.
    /// </summary>
    public double HeldOutShare { get; init; } = 0.2;

    /// <summary>Number of points with the largest errors that are dropped before a second fit, as Epoch drops five.</summary>
    public int DroppedPoints { get; init; }

    internal FitOptions Validated()
    {
        Require.That(Delta > 0, Delta, nameof(Delta), "above 0");
        Require.That(HeldOutShare is >= 0 and < 1, HeldOutShare, nameof(HeldOutShare), "from 0 to below 1");
        Require.AtLeast(0, DroppedPoints);
        if (Starts is { Count: 0 }) throw new ArgumentException("Starts has no start; expected at least one.");
        return this;
    }

    internal IReadOnlyList<double[]> StartValues() => Starts is { } own
        ? [.. own.Select(one => new[] { one.LogA, one.LogB, one.LogE, one.Alpha, one.Beta })] : Grid();

    /// <summary>The grid of Hoffmann et al., 2022, appendix D.3.</summary>
    private static List<double[]> Grid()
    {
        double[] coefficients = [0, 5, 10, 15, 20, 25];
        double[] floors = [-1, -0.5, 0, 0.5, 1];
        double[] exponents = [0, 0.5, 1, 1.5, 2];
        return [.. from a in coefficients from b in coefficients from e in floors from alpha in exponents from beta in exponents
            select new[] { a, b, e, alpha, beta }];
    }
}
