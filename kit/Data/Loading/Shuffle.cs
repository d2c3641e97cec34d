namespace ResearchKit.Data;

/// <summary>Shuffling that depends only on a seed and an epoch.</summary>
internal static class Shuffle
{
    /// <summary>The random numbers of an epoch.</summary>
    public static SplitMix64 Random(int seed, long epoch) => new(((ulong)(uint)seed << 32) ^ (ulong)epoch);

    /// <summary>Shuffles items in place (Fisher and Yates).</summary>
    public static void InPlace(long[] items, int seed, long epoch)
    {
        var random = Random(seed, epoch);
        for (var last = items.Length - 1; last > 0; last--)
        {
            var chosen = (int)Math.BigMul(random.Next(), (ulong)last + 1, out _);
            (items[last], items[chosen]) = (items[chosen], items[last]);
        }
    }
}
