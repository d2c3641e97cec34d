using System.Globalization;

namespace ResearchKit.Native;

/// <summary>
/// How much faster the kit's integer products are on this machine than a product with a weight packed in float32, by rows.
/// </summary>
/// <param name="Gains">Packed float32's time over that of the integer product, by <see cref="Rows"/>; NaN: not measured.</param>
/// <param name="Dequantized">The same of a product with the weight dequantized for it.</param>
internal sealed record IntegerGains(IReadOnlyList<double> Gains, IReadOnlyList<double> Dequantized)
{
    /// <summary>The numbers of rows that are measured; a product takes the nearest one below twice as many.</summary>
    public static readonly IReadOnlyList<int> Rows = [1, 4, 16, 64, 256];

    private static readonly Dictionary<(CodeStorage, int), IntegerGains> Measured = [];

    /// <summary>Nothing measured: the kit's integer products are used.</summary>
    public static IntegerGains Unknown { get; } =
        new([.. Rows.Select(_ => double.NaN)], [.. Rows.Select(_ => double.NaN)]);

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

    /// <summary>In words, such as <c>kit, 5.6x of packed float32 for 1 row …</c>.</summary>
    public string Described => Gains.All(double.IsNaN) ? "kit, not measured" : "kit, "
        + string.Join(", ", Rows.Select((rows, place) => string.Create(CultureInfo.InvariantCulture, $"{Best(place):0.0}x"
            + $" for {rows}{(Multiplies(rows) ? "" : " (dequantized: the integer product is slower)")}")))
        + " rows, times as fast as packed float32" + (Enumerable.Range(0, Rows.Count).Any(place => Best(place) < 1)
            ? "; slower than float32 where below 1" : "");

    private double Best(int place) => Math.Max(Gains[place], Multiplies(Rows[place]) ? 0 : Dequantized[place]);

    private static int PlaceOf(long rows)
    {
        for (var place = 0; place < Rows.Count - 1; place++)
            if (rows < 2 * Rows[place] || (place == 0 && rows == 1)) return place;
        return Rows.Count - 1;
    }
}
