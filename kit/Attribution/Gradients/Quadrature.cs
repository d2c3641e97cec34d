using ResearchKit.Tensors;

namespace ResearchKit.Attribution;

/// <summary>How an integral along a path is approximated by a sum.</summary>
public enum Quadrature
{
    /// <summary>Gauss-Legendre nodes and weights: exact for polynomials up to degree 2n - 1.</summary>
    GaussLegendre,

    /// <summary>The middles of n equal parts; exact for linear gradients.</summary>
    RiemannMiddle,

    /// <summary>The left ends of n equal parts.</summary>
    RiemannLeft,

    /// <summary>The right ends of n equal parts.</summary>
    RiemannRight,

    /// <summary>n points from 0 to 1, the ends with half a weight of 1/(n - 1).</summary>
    Trapezoid,

    /// <summary>
    /// Captum's <c>riemann_trapezoid</c>: as <see cref="Trapezoid"/> with weights of 1/n, which sum to (n - 1)/n; only to
    /// compare.
    /// </summary>
    RiemannTrapezoid,
}

/// <summary>Nodes and weights on the interval from 0 to 1.</summary>
internal static class QuadratureRule
{
    public static (double[] Nodes, double[] Weights) Of(Quadrature rule, int steps)
    {
        var equal = Enumerable.Repeat(1.0 / steps, steps).ToArray();
        var numbers = Enumerable.Range(0, steps).Select(i => (double)i).ToArray();
        switch (rule)
        {
            case Quadrature.GaussLegendre: return GaussLegendre(steps);
            case Quadrature.RiemannMiddle: return ([.. numbers.Select(i => (i + 0.5) / steps)], equal);
            case Quadrature.RiemannLeft: return ([.. numbers.Select(i => i / steps)], equal);
            case Quadrature.RiemannRight: return ([.. numbers.Select(i => (i + 1) / steps)], equal);
            case Quadrature.Trapezoid or Quadrature.RiemannTrapezoid:
                if (steps < 2) throw new ArgumentException($"Steps is {steps}; a trapezoid needs at least 2.");
                var weight = 1.0 / (rule == Quadrature.Trapezoid ? steps - 1 : steps);
                return ([.. numbers.Select(i => i / (steps - 1))],
                    [.. numbers.Select(i => i == 0 || i == steps - 1 ? weight / 2 : weight)]);
            default: throw new ArgumentOutOfRangeException(nameof(rule), rule, "Not a quadrature.");
        }
    }

    /// <summary>Roots of the Legendre polynomial by Newton's method, from Tricomi's first guess.</summary>
    private static (double[] Nodes, double[] Weights) GaussLegendre(int count)
    {
        Require.AtLeast(1, count);
        var (nodes, weights) = (new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5));
            var slope = 1.0;
            for (var round = 0; round < 100; round++)
            {
                (var value, slope) = Legendre(count, x);
                var step = value / slope;
                x -= step;
                if (Math.Abs(step) < 1e-16) break;
            }
            (_, slope) = Legendre(count, x);
            (nodes[count - 1 - i], weights[count - 1 - i]) = ((1 + x) / 2, 1 / ((1 - (x * x)) * slope * slope));
        }
        return (nodes, weights);
    }

    /// <summary>The Legendre polynomial of a degree and its derivative, by the three-term recurrence.</summary>
    private static (double Value, double Slope) Legendre(int degree, double x)
    {
        var (before, value) = (1.0, x);
        for (var k = 2; k <= degree; k++) (before, value) = (value, ((((2 * k) - 1) * x * value) - ((k - 1) * before)) / k);
        return (value, degree * ((x * value) - before) / ((x * x) - 1));
    }
}
