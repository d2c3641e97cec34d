namespace ResearchKit.Data;

/// <summary>
/// Resamples audio by band-limited interpolation: a sinc at the lower of the two Nyquist frequencies under a
/// Kaiser window.
/// </summary>
/// <remarks>
/// Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample; Kaiser and Schafer, 1980,
/// doi:10.1109/TASSP.1980.1163349. The pass band ends at 0.89 of the lower Nyquist frequency; from that
/// frequency on, the attenuation is 100 dB.
/// </remarks>
internal sealed class Resampler
{
    private const int Crossings = 64;          // zero crossings of the sinc on each side
    // centre of the transition band, relative to the lower Nyquist frequency
    private const double PassBand = 0.945;
    private const double Beta = 10.06;         // 100 dB: 0.1102 (100 - 8.7)
    private const int MostKeptPhases = 8192;

    private readonly int from;
    private readonly int to;
    private readonly double cutoff;            // relative to the source's Nyquist frequency
    private readonly int reach;                // source samples on each side
    private readonly Dictionary<int, float[]> phases = [];

    public Resampler(int from, int to)
    {
        var divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(from, to);
        this.from = from / divisor;
        this.to = to / divisor;
        cutoff = PassBand * Math.Min(1.0, (double)to / from);
        reach = (int)Math.Ceiling(Crossings / cutoff);
    }

    /// <returns>The samples at the new rate; their number is that of the same duration, rounded up.</returns>
    public float[] Run(float[] source)
    {
        var result = new float[(((long)source.Length * to) + from - 1) / from];
        for (long at = 0; at < result.Length; at++)
        {
            var first = (int)(at * from / to) - reach + 1;
            var phase = (int)(at * from % to);
            var weights = Weights(phase);
            var low = Math.Max(0, -first);
            var high = Math.Min(weights.Length, source.Length - first);
            var sum = 0.0;
            for (var tap = low; tap < high; tap++) sum += weights[tap] * source[first + tap];
            result[at] = (float)sum;
        }
        return result;
    }

    /// <summary>
    /// Returns the weights of the source samples around a position that lies the fraction phase/to after a sample;
    /// they sum to one.
    /// </summary>
    private float[] Weights(int phase)
    {
        if (phases.TryGetValue(phase, out var known)) return known;
        var exact = new double[2 * reach];
        for (var tap = 0; tap < exact.Length; tap++)
        {
            var distance = ((double)phase / to) - (tap - reach + 1);
            var place = distance / reach;
            var window = Math.Abs(place) < 1 ? Bessel(Beta * Math.Sqrt(1 - (place * place))) / Bessel(Beta) : 0;
            var angle = Math.PI * cutoff * distance;
            exact[tap] = window * (angle == 0 ? 1 : Math.Sin(angle) / angle);
        }
        var sum = exact.Sum();
        var weights = exact.Select(weight => (float)(weight / sum)).ToArray();
        if (phases.Count < MostKeptPhases) phases[phase] = weights;
        return weights;
    }

    /// <summary>
    /// Computes the modified Bessel function of the first kind and order zero, by its power series.
    /// </summary>
    private static double Bessel(double x)
    {
        var sum = 1.0;
        var term = 1.0;
        for (var k = 1; term > sum * 1e-17; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum;
    }
}
