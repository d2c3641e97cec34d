namespace ResearchKit.Models;

/// <summary>The check that the sizes of every configuration need.</summary>
internal static class Sizes
{
    /// <exception cref="ArgumentException">One is less than 1; names it.</exception>
    public static void Positive(params ReadOnlySpan<(int Value, string Name)> sizes)
    {
        foreach (var (value, name) in sizes)
            if (value < 1) throw new ArgumentException($"{name} is {value}; it must be at least 1.");
    }

    /// <exception cref="ArgumentException"><paramref name="divisor"/> does not divide the size; names both.</exception>
    public static void Divisible((int Value, string Name) size, (int Value, string Name) divisor)
    {
        if (size.Value % divisor.Value != 0)
            throw new ArgumentException($"{size.Name} {size.Value} is not divisible by {divisor.Name} {divisor.Value}.");
    }
}
