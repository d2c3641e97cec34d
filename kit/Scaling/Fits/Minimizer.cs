namespace ResearchKit.Scaling;

/// <summary>A function of several numbers, with its gradient.</summary>
internal delegate double Differentiable(ReadOnlySpan<double> at, Span<double> gradient);

/// <summary>Where a minimization ended.</summary>
internal sealed record Minimum(double[] At, double Value);

/// <summary>
/// Minimizes a smooth function of few numbers by BFGS: L-BFGS that keeps all its steps, as a matrix.
/// </summary>
/// <remarks>Nocedal and Wright, 2006, algorithm 6.1; the line search is that of Lewis and Overton, 2013.</remarks>
internal static class Minimizer
{
    private const double Decrease = 1e-4, Curvature = 0.9;

    /// <summary>Minimizes from one start.</summary>
    public static Minimum From(Differentiable function, ReadOnlySpan<double> start, int iterations, double tolerance = 1e-14)
    {
        var size = start.Length;
        var at = start.ToArray();
        var next = new double[size];
        var gradient = new double[size];
        var nextGradient = new double[size];
        var direction = new double[size];
        var inverse = new double[size * size];
        var product = new double[size];
        var value = function(at, gradient);
        var isFresh = true;
        if (!double.IsFinite(value)) return new(at, double.PositiveInfinity);
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            if (isFresh) Reset(inverse, size, 1 / Math.Max(1, Norm(gradient)));
            var slope = Direction(inverse, gradient, direction);
            if (slope > -1e-300)
            {
                if (isFresh) break;
                isFresh = true;
                continue;
            }
            var found = Search(function, at, value, gradient, direction, slope, next, nextGradient);
            if (double.IsNaN(found))
            {
                if (isFresh) break;
                isFresh = true;   // the matrix may be bad: once more along the gradient
                continue;
            }
            isFresh = !Update(inverse, at, next, gradient, nextGradient, product, isFresh);
            var gain = value - found;
            (at, next) = (next, at);
            (gradient, nextGradient) = (nextGradient, gradient);
            value = found;
            if (gain <= tolerance * Math.Abs(value)) break;
        }
        return new(at, value);
    }

    /// <summary>
    /// Minimizes from many starts in parallel for some iterations, goes on with the better tenth, and finishes the best of them.
    /// </summary>
    /// <param name="function">The function; called from several threads.</param>
    /// <param name="starts">The starts.</param>
    /// <param name="iterations">Iterations of the better tenth; the others have a third.</param>
    /// <param name="finished">How many of the best different minima are finished.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>The minima that were finished, the best first.</returns>
    public static IReadOnlyList<Minimum> FromAll(Differentiable function, IReadOnlyList<double[]> starts, int iterations = 150,
        int finished = 8, CancellationToken cancel = default)
    {
        var first = Each(function, starts, iterations / 3, cancel);
        if (starts.Count > 500)
            first = Each(function, [.. first.OrderBy(one => one.Value).Take(starts.Count / 10).Select(one => one.At)],
                iterations, cancel);
        var best = new List<Minimum>();
        foreach (var one in first.Where(one => double.IsFinite(one.Value)).OrderBy(one => one.Value))
        {
            if (best.Count == finished) break;
            if (best.TrueForAll(other => IsElsewhere(one, other))) best.Add(one);
        }
        if (best.Count == 0) throw new ArgumentException("No start has a finite objective; the points cannot be fitted.");
        return [.. best.Select(one => From(function, one.At, 2000)).OrderBy(one => one.Value)];
    }

    private static Minimum[] Each(Differentiable function, IReadOnlyList<double[]> starts, int iterations,
        CancellationToken cancel)
    {
        var ends = new Minimum[starts.Count];
        Parallel.For(0, starts.Count, new ParallelOptions { CancellationToken = cancel },
            index => ends[index] = From(function, starts[index], iterations, 1e-9));
        return ends;
    }

    private static bool IsElsewhere(Minimum one, Minimum other) =>
        one.At.Zip(other.At).Any(pair => Math.Abs(pair.First - pair.Second) > 0.02 * (1 + Math.Abs(pair.Second)));

    /// <summary>Direction −H g; returns its slope.</summary>
    private static double Direction(double[] inverse, double[] gradient, double[] direction)
    {
        var size = gradient.Length;
        var slope = 0.0;
        for (var row = 0; row < size; row++)
        {
            var sum = 0.0;
            for (var column = 0; column < size; column++) sum -= inverse[(row * size) + column] * gradient[column];
            direction[row] = sum;
            slope += sum * gradient[row];
        }
        return slope;
    }

    /// <summary>Looks for a step that obeys the weak Wolfe conditions; NaN if there is none.</summary>
    private static double Search(Differentiable function, double[] at, double value, double[] gradient, double[] direction,
        double slope, double[] next, double[] nextGradient)
    {
        double low = 0, high = double.PositiveInfinity, step = 1;
        for (var attempt = 0; attempt < 40; attempt++)
        {
            for (var i = 0; i < at.Length; i++) next[i] = at[i] + (step * direction[i]);
            var found = function(next, nextGradient);
            if (!(found <= value + (Decrease * step * slope))) high = step;   // also if it is NaN
            else if (Dot(nextGradient, direction) < Curvature * slope) low = step;
            else return found;
            step = double.IsFinite(high) ? (low + high) / 2 : 2 * low;
        }
        if (low == 0) return double.NaN;
        for (var i = 0; i < at.Length; i++) next[i] = at[i] + (low * direction[i]);
        return function(next, nextGradient);
    }

    /// <summary>Updates the inverse Hessian; false if the step has no positive curvature.</summary>
    private static bool Update(double[] inverse, double[] at, double[] next, double[] gradient, double[] nextGradient,
        double[] product, bool isFresh)
    {
        var size = at.Length;
        double curvature = 0, square = 0;
        for (var i = 0; i < size; i++)
        {
            var change = nextGradient[i] - gradient[i];
            curvature += (next[i] - at[i]) * change;
            square += change * change;
        }
        if (!(curvature > 1e-300) || !double.IsFinite(square)) return false;
        if (isFresh) Reset(inverse, size, curvature / square);
        var inner = 0.0;
        for (var row = 0; row < size; row++)
        {
            var sum = 0.0;
            for (var column = 0; column < size; column++)
                sum += inverse[(row * size) + column] * (nextGradient[column] - gradient[column]);
            product[row] = sum;
            inner += sum * (nextGradient[row] - gradient[row]);
        }
        var factor = (1 + (inner / curvature)) / curvature;
        for (var row = 0; row < size; row++)
            for (var column = 0; column < size; column++)
            {
                var left = next[row] - at[row];
                var right = next[column] - at[column];
                inverse[(row * size) + column] += (factor * left * right)
                    - (((product[row] * right) + (left * product[column])) / curvature);
            }
        return true;
    }

    private static void Reset(double[] inverse, int size, double scale)
    {
        Array.Clear(inverse);
        for (var i = 0; i < size; i++) inverse[(i * size) + i] = scale;
    }

    private static double Norm(double[] values) => Math.Sqrt(Dot(values, values));

    private static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++) sum += left[i] * right[i];
        return sum;
    }
}
