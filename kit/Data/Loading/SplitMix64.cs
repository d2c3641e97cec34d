namespace ResearchKit.Data;

/// <summary>
/// Random number generator whose output depends only on the seed, on every platform and in every version of
/// .NET.
/// </summary>
/// <remarks>Steele et al., 2014, doi:10.1145/2660193.2660195.</remarks>
internal struct SplitMix64(ulong seed)
{
    private ulong state = seed;

    /// <summary>Returns 64 random bits.</summary>
    public ulong Next()
    {
        var z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>Returns a uniform random number in [0, 1).</summary>
    public double NextShare() => (Next() >> 11) * (1.0 / (1UL << 53));
}
