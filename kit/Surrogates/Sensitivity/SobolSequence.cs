using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Points that fill the unit cube evenly: the Sobol sequence, without scrambling.</summary>
/// <remarks>
/// Sobol, 1967; direction numbers of Joe and Kuo, 2008 (new-joe-kuo-6.21201). The first 2^k points are balanced, with the point 0
/// as the first.
/// </remarks>
public static class SobolSequence
{
    private const int Bits = 30;

    // For each dimension after the first: degree, coefficients of the primitive polynomial, initial direction numbers.
    private static readonly int[][] Table =
    [
        [1, 0, 1], [2, 1, 1, 3], [3, 1, 1, 3, 1], [3, 2, 1, 1, 1], [4, 1, 1, 1, 3, 3], [4, 4, 1, 3, 5, 13],
        [5, 2, 1, 1, 5, 5, 17], [5, 4, 1, 1, 5, 5, 5], [5, 7, 1, 1, 7, 11, 19], [5, 11, 1, 1, 5, 1, 1],
        [5, 13, 1, 1, 1, 3, 11], [5, 14, 1, 3, 5, 5, 31], [6, 1, 1, 3, 3, 9, 7, 49], [6, 13, 1, 1, 1, 15, 21, 21],
        [6, 16, 1, 3, 1, 13, 27, 49], [6, 19, 1, 1, 1, 15, 7, 5], [6, 22, 1, 3, 1, 15, 13, 25], [6, 25, 1, 1, 5, 5, 19, 61],
        [7, 1, 1, 3, 7, 11, 23, 15, 103], [7, 4, 1, 3, 7, 13, 13, 15, 69], [7, 7, 1, 1, 3, 13, 7, 35, 63],
        [7, 8, 1, 3, 5, 9, 1, 25, 53], [7, 14, 1, 3, 1, 13, 9, 35, 107], [7, 19, 1, 3, 1, 5, 27, 61, 31],
        [7, 21, 1, 1, 5, 11, 19, 41, 61], [7, 28, 1, 3, 5, 3, 3, 13, 69], [7, 31, 1, 1, 7, 13, 1, 19, 1],
        [7, 32, 1, 3, 7, 5, 13, 19, 59], [7, 37, 1, 1, 3, 9, 25, 29, 41], [7, 41, 1, 3, 5, 13, 23, 1, 55],
        [7, 42, 1, 3, 7, 3, 13, 59, 17], [7, 50, 1, 3, 1, 3, 5, 53, 69], [7, 55, 1, 1, 5, 5, 23, 33, 13],
        [7, 56, 1, 1, 7, 7, 1, 61, 123], [7, 59, 1, 1, 7, 9, 13, 61, 49], [7, 62, 1, 3, 3, 5, 3, 55, 33],
        [8, 14, 1, 3, 1, 15, 31, 13, 49, 245], [8, 21, 1, 3, 5, 15, 31, 59, 63, 97], [8, 38, 1, 3, 1, 11, 11, 11, 77, 249],
    ];

    /// <summary>Largest number of dimensions.</summary>
    public static int MaxDimensions => Table.Length + 1;

    /// <summary>Returns the first points.</summary>
    /// <param name="count">Number of points, best a power of two.</param>
    /// <param name="dimensions">Number of dimensions.</param>
    /// <param name="seed">Seed of a random shift that keeps the balance (a digital shift); null for none.</param>
    /// <returns>Float64 [count, dimensions], at least 0 and below 1.</returns>
    /// <exception cref="ArgumentException">There are more dimensions than the table has.</exception>
    public static Tensor Points(int count, int dimensions, int? seed = null)
    {
        var rows = Rows(count, dimensions, seed);
        return Examples.ToTensor(rows);
    }

    internal static double[][] Rows(int count, int dimensions, int? seed)
    {
        Tensors.Require.AtLeast(1, count);
        Tensors.Require.That(dimensions >= 1 && dimensions <= MaxDimensions, dimensions, nameof(dimensions),
            $"from 1 to {MaxDimensions}");
        var random = seed is { } known ? new Random(known) : null;
        var rows = new double[count][];
        for (var point = 0; point < count; point++) rows[point] = new double[dimensions];
        for (var dimension = 0; dimension < dimensions; dimension++)
        {
            var directions = Directions(dimension);
            var bits = random is null ? 0 : random.Next(1 << Bits);
            for (var point = 0; point < count; point++)
            {
                // Gray code: one direction changes from point to point
                if (point > 0) bits ^= directions[System.Numerics.BitOperations.TrailingZeroCount(point)];
                rows[point][dimension] = bits / (double)(1 << Bits);
            }
        }
        return rows;
    }

    private static int[] Directions(int dimension)
    {
        var directions = new int[Bits];
        if (dimension == 0)
        {
            for (var bit = 0; bit < Bits; bit++) directions[bit] = 1 << (Bits - 1 - bit);
            return directions;
        }
        var (degree, polynomial) = (Table[dimension - 1][0], Table[dimension - 1][1]);
        for (var bit = 0; bit < Bits; bit++)
        {
            if (bit < degree)
            {
                directions[bit] = Table[dimension - 1][2 + bit] << (Bits - 1 - bit);
                continue;
            }
            directions[bit] = directions[bit - degree] ^ (directions[bit - degree] >> degree);
            for (var term = 1; term < degree; term++)
                if ((polynomial >> (degree - 1 - term) & 1) == 1) directions[bit] ^= directions[bit - term];
        }
        return directions;
    }
}
