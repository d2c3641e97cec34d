namespace ResearchKit.Interpretability;

/// <summary>Gauss-Legendre quadrature over 0 to 1: exact for polynomials of degree 2n - 1.</summary>
internal static class GaussLegendre
{
    /// <summary>Computes places and weights by Newton's method from the asymptotic places of the roots.</summary>
    /// <param name="count">Number of places.</param>
    public static (double Place, double Weight)[] Nodes(int count)
    {
        var nodes = new (double Place, double Weight)[count];
        for (var i = 0; i < count; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (count + 0.5));
            var slope = 0.0;
            for (var step = 0; step < 100; step++)
            {
                var (value, before) = (x, 1.0);          // Legendre polynomials of degree 1 and 0
                for (var degree = 2; degree <= count; degree++)
                    (value, before) = (((2 * degree - 1) * x * value - (degree - 1) * before) / degree, value);
                slope = count * ((x * value) - before) / ((x * x) - 1);
                var change = value / slope;
                x -= change;
                if (Math.Abs(change) < 1e-15) break;
            }
            nodes[i] = ((1 - x) / 2, 1 / ((1 - (x * x)) * slope * slope));
        }
        return nodes;
    }
}
