namespace ResearchKit.Data;

/// <summary>An order that follows from a seed alone, on every platform and in every version of .NET.</summary>
internal static class Shuffle
{
    /// <summary>Fisher and Yates' shuffle with the SplitMix64 generator (Steele et al., 2014, doi:10.1145/2660193.2660195).</summary>
    public static void InPlace(long[] items, int seed, long epoch)
    {
        var state = ((ulong)(uint)seed << 32) ^ (ulong)epoch;
        for (var last = items.Length - 1; last > 0; last--)
        {
            var chosen = (int)Math.BigMul(Next(ref state), (ulong)last + 1, out _);
            (items[last], items[chosen]) = (items[chosen], items[last]);
        }
    }

    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
