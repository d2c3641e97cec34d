using System.Numerics;
using System.Runtime.InteropServices;

namespace ResearchKit.Scaling;

/// <summary>One power-law term of a sum, as the logarithm: offset + Σ θ_j x_j for each point.</summary>
/// <param name="Factors">Parameters of the term with the value by which a point multiplies them; null for 1.</param>
/// <param name="Offset">A known part of the logarithm of each point; null for 0.</param>
internal sealed record PowerTerm(IReadOnlyList<(int Parameter, double[]? Values)> Factors, double[]? Offset = null);

/// <summary>
/// A loss that is a sum of power laws, with the Huber loss of its logarithm against measured ones, and the gradient.
/// </summary>
/// <remarks>Points are processed in SIMD vectors; they are padded with points of weight 0.</remarks>
internal sealed class PowerTerms
{
    private static readonly int Lanes = Vector<double>.Count;
    private readonly (int Parameter, double[] Values)[][] factors;
    private readonly double[][] offsets;
    private readonly double[] logLosses;
    private readonly double[] weights;
    private readonly double delta;

    /// <param name="parameters">Number of parameters.</param>
    /// <param name="terms">The terms.</param>
    /// <param name="losses">Measured losses.</param>
    /// <param name="delta">Threshold of the Huber loss; infinite for half the squared error.</param>
    public PowerTerms(int parameters, IReadOnlyList<PowerTerm> terms, IEnumerable<double> losses, double delta)
    {
        Parameters = parameters;
        this.delta = delta;
        var logs = losses.Select(loss => Math.Log(loss)).ToArray();
        Count = logs.Length;
        logLosses = Padded(logs);
        weights = Padded([.. logs.Select(_ => 1.0)]);
        var ones = weights;
        factors = [.. terms.Select(term => term.Factors
            .Select(factor => (factor.Parameter, factor.Values is { } values ? Padded(values) : ones)).ToArray())];
        offsets = [.. terms.Select(term => Padded(term.Offset ?? new double[Count]))];
    }

    private PowerTerms(PowerTerms other, double[] weights)
    {
        Parameters = other.Parameters;
        Count = other.Count;
        factors = other.factors;
        offsets = other.offsets;
        logLosses = other.logLosses;
        delta = other.delta;
        this.weights = weights;
    }

    /// <summary>Number of parameters.</summary>
    public int Parameters { get; }

    /// <summary>Number of points.</summary>
    public int Count { get; }

    /// <summary>The same terms with a weight for each point, such as how often a bootstrap drew it.</summary>
    public PowerTerms Weighted(double[] perPoint) => new(this, Padded(perPoint));

    /// <summary>Sums the Huber losses over the points.</summary>
    /// <param name="at">Parameters.</param>
    /// <param name="gradient">Receives the derivative by each parameter.</param>
    public double Value(ReadOnlySpan<double> at, Span<double> gradient)
    {
        gradient.Clear();
        var sum = Vector<double>.Zero;
        Span<Vector<double>> gradients = stackalloc Vector<double>[Parameters];
        gradients.Clear();
        Span<Vector<double>> powers = stackalloc Vector<double>[factors.Length];
        var high = new Vector<double>(delta);
        var half = new Vector<double>(0.5);
        for (var i = 0; i < logLosses.Length; i += Lanes)
        {
            var total = Vector<double>.Zero;
            for (var k = 0; k < factors.Length; k++)
            {
                var exponent = Load(offsets[k], i);
                foreach (var (parameter, values) in factors[k]) exponent += Load(values, i) * at[parameter];
                total += powers[k] = Vector.Exp(exponent);
            }
            var error = Vector.Log(total) - Load(logLosses, i);
            var clipped = Vector.Max(Vector.Min(error, high), -high);
            var weight = Load(weights, i);
            sum += weight * clipped * (error - (half * clipped));
            var slope = weight * clipped / total;
            for (var k = 0; k < factors.Length; k++)
            {
                var share = slope * powers[k];
                foreach (var (parameter, values) in factors[k]) gradients[parameter] += share * Load(values, i);
            }
        }
        for (var parameter = 0; parameter < Parameters; parameter++) gradient[parameter] = Vector.Sum(gradients[parameter]);
        return Vector.Sum(sum);
    }

    private static Vector<double> Load(double[] values, int at) => Vector.LoadUnsafe(
        ref MemoryMarshal.GetArrayDataReference(values), (nuint)at);

    private static double[] Padded(double[] values)
    {
        var padded = new double[(values.Length + Lanes - 1) / Lanes * Lanes];
        values.CopyTo(padded, 0);
        return padded;
    }
}
