namespace ResearchKit.Models;

/// <summary>The one check that every size in a configuration needs.</summary>
internal static class Sizes
{
    public static void Positive(int value, string name)
    {
        if (value < 1) throw new ArgumentException($"{name} is {value}; it must be at least 1.");
    }
}
