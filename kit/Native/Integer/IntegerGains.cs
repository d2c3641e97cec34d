using System.Globalization;
using System.Text;

namespace ResearchKit.Native;

/// <summary>
/// How much faster the kit's integer products are on this machine than a product with a weight packed in float32, by rows.
/// </summary>
/// <param name="Gains">Packed float32's time over that of the integer product, by <see cref="Rows"/>; NaN: not measured.</param>
/// <param name="Dequantized">The same of a product with the weight dequantized for it.</param>
/// <param name="OneDnn">The same of oneDNN's product with inputs of 8 bits; NaN where it is wrong or was not tried.</param>
internal sealed record IntegerGains(
    IReadOnlyList<double> Gains, IReadOnlyList<double> Dequantized, IReadOnlyList<double> OneDnn)
{
    /// <summary>The numbers of rows that are measured; a product takes the nearest one below twice as many.</summary>
    public static readonly IReadOnlyList<int> Rows = [1, 4, 16, 64, 256];

    private static readonly Dictionary<(CodeStorage, int), IntegerGains> Measured = [];

    private static double[] NotMeasured => [.. Rows.Select(_ => double.NaN)];

    /// <summary>Nothing measured: the kit's integer products are used.</summary>
    public static IntegerGains Unknown { get; } =
        new(NotMeasured, NotMeasured, NotMeasured);

    /// <summary>The gains of a way to store codes, measured or read from a file at the first call.</summary>
    public static IntegerGains Of(CodeStorage storage)
    {
        lock (Measured)
        {
            var key = (storage, Compute.Threads);
            if (!Measured.TryGetValue(key, out var gains)) Measured[key] = gains = IntegerTrials.CachedOrNew(storage);
            return gains;
        }
    }

    /// <summary>Whether the integer product is the fastest for so many rows.</summary>
    public bool Multiplies(long rows)
    {
        var place = PlaceOf(rows);
        return !(Gains[place] < Dequantized[place]);   // so also where one is not known
    }

    /// <summary>Whether oneDNN's product with inputs of 8 bits is clearly the fastest for so many rows.</summary>
    public bool MultipliesByOneDnn(long rows)
    {
        var place = PlaceOf(rows);
        return OneDnn[place] > Gains[place] * KernelSelfCheck.LeastGain;   // not where one is not known
    }

    /// <summary>Whether oneDNN's product is the fastest for some number of rows.</summary>
    public bool UsesOneDnn => Rows.Any(rows => MultipliesByOneDnn(rows));

    /// <summary>In words, such as <c>kit 5.6x for 1 row, … of packed float32's speed</c>.</summary>
    /// <param name="isEightBits">Whether inputs have 8 bits and oneDNN may multiply.</param>
    public string Described(bool isEightBits) => Gains.All(double.IsNaN) ? "kit, not measured"
        : string.Join(", ", Rows.Select(rows => Of(rows, isEightBits))) + ", of packed float32's speed"
            + (Rows.Any(rows => Best(rows, isEightBits).Gain < 1) ? "; slower than packed float32 where below 1" : "");

    private static readonly CompositeFormat OfRows = CompositeFormat.Parse("{0} {1:0.0}x for {2} {3}");

    private string Of(int rows, bool isEightBits)
    {
        var (kernel, gain) = Best(rows, isEightBits);
        return string.Format(CultureInfo.InvariantCulture, OfRows, kernel, gain, rows, rows == 1 ? "row" : "rows");
    }

    private (string Kernel, double Gain) Best(int rows, bool isEightBits)
    {
        var place = PlaceOf(rows);
        return isEightBits && MultipliesByOneDnn(rows) ? ("oneDNN", OneDnn[place])
            : isEightBits || Multiplies(rows) ? ("kit", Gains[place]) : ("dequantized", Dequantized[place]);
    }

    private static int PlaceOf(long rows)
    {
        for (var place = 0; place < Rows.Count - 1; place++)
            if (rows < 2 * Rows[place] || (place == 0 && rows == 1)) return place;
        return Rows.Count - 1;
    }
}
