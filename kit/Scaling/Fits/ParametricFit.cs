using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>Error of a law on points.</summary>
/// <param name="MeanRelative">Mean magnitude of the logarithm of predicted over measured loss: a relative error.</param>
/// <param name="LargestRelative">The largest of them.</param>
/// <param name="Count">Number of points.</param>
public sealed record FitError(double MeanRelative, double LargestRelative, int Count)
{
    internal static FitError Of(IEnumerable<double> logErrors)
    {
        var errors = logErrors.Select(Math.Abs).ToList();
        return new(errors.Average(), errors.Max(), errors.Count);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"mean {100 * MeanRelative:0.###} %, largest {100 * LargestRelative:0.###} % on {Count} points");
}

/// <summary>A fitted law with what the fit was made of.</summary>
/// <param name="Law">The law.</param>
/// <param name="Objective">Sum of the Huber losses at the minimum.</param>
/// <param name="Points">The points of the fit.</param>
/// <param name="Starts">Number of starts.</param>
/// <param name="HeldOut">
/// Error on the runs of the most operations, of a second fit that did not see them; null where it was not made.
/// </param>
public sealed record ParametricFit(
    ParametricLaw Law, double Objective, IReadOnlyList<ScalingPoint> Points, int Starts, FitError? HeldOut)
{
    internal FitOptions Options { get; init; } = new();

    internal IReadOnlyList<Minimum> Minima { get; init; } = [];

    /// <summary>Error on the points of the fit.</summary>
    public FitError Residual => FitError.Of(Points.Select(Law.LogError));

    /// <summary>
    /// Fits the law again to points drawn with replacement, to say how certain it is. Each fit starts from the best minima of
    /// this one.
    /// </summary>
    /// <param name="count">Number of fits.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="starts">Number of minima that each fit starts from.</param>
    /// <param name="progress">Receives the number of fits that are done.</param>
    /// <param name="cancel">Ends it.</param>
    public FitBands Bootstrap(int count = 1000, int seed = 1337, int starts = 4, IProgress<int>? progress = null,
        CancellationToken cancel = default)
    {
        Require.AtLeast(1, count);
        Require.AtLeast(1, starts);
        var terms = ParametricLaw.Terms(Points, Options.Delta);
        var laws = new ParametricLaw[count];
        var done = 0;
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, index =>
        {
            var drawn = terms.Weighted(FitBands.Drawn(Points.Count, seed, index));
            var best = Minima.Take(starts).Select(one => Minimizer.From(drawn.Value, one.At, 500)).MinBy(one => one.Value)!;
            laws[index] = ParametricLaw.From(best.At);
            progress?.Report(Interlocked.Increment(ref done));
        });
        return new FitBands(Law, laws);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Law}; {Points.Count} points, {Starts} starts, objective {Objective:0.#####e0}, error {Residual}")
        + (HeldOut is null ? "" : $"; held out {HeldOut}");
}
