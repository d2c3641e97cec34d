using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>
/// Random numbers that depend only on a seed, on every platform. Each draw of an example has its own stream, so that neither
/// the number of workers nor a resume changes what an augmentation does.
/// </summary>
public sealed class RandomNumbers
{
    private SplitMix64 numbers;

    /// <param name="seed">The seed.</param>
    /// <param name="stream">Number of the stream: other numbers give independent streams.</param>
    public RandomNumbers(int seed, long stream = 0)
    {
        var mixed = new SplitMix64((ulong)stream);
        numbers = new SplitMix64(((ulong)(uint)seed << 32) ^ mixed.Next());
    }

    /// <summary>Returns a uniform random number in [0, 1).</summary>
    public double Next() => numbers.NextShare();

    /// <summary>Returns a uniform random number of a range, the upper end excluded.</summary>
    public double Next(double from, double to) => from + ((to - from) * numbers.NextShare());

    /// <summary>Returns a uniform random whole number from 0 to <paramref name="count"/> − 1.</summary>
    /// <exception cref="ArgumentException"><paramref name="count"/> is below 1.</exception>
    public int Whole(int count)
    {
        Require.AtLeast(1, count);
        return (int)Math.BigMul(numbers.Next(), (ulong)count, out _);
    }

    /// <summary>Returns true with a probability.</summary>
    public bool Chance(double probability) => numbers.NextShare() < probability;

    /// <summary>Returns a normal random number of mean 0 and deviation 1 (Box and Muller).</summary>
    public double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - numbers.NextShare())) * Math.Cos(2 * Math.PI * numbers.NextShare());
}
