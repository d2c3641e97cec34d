namespace ResearchKit.Tensors;

/// <summary>
/// Sums the floating-point operations (FLOPs) of products on this thread, while a count is running.
/// </summary>
internal static class FlopTally
{
    [ThreadStatic]
    private static double? sum;

    /// <summary>Whether a count is running on this thread.</summary>
    public static bool IsAsked => sum is not null;

    /// <summary>The FLOPs that the innermost count has so far; 0 without one.</summary>
    public static double SoFar => sum ?? 0;

    /// <summary>Adds a product of this many multiplications, each with an addition, to the count.</summary>
    public static void Add(double multiplications)
    {
        if (sum is { } before) sum = before + (2 * multiplications);
    }

    /// <summary>Counts the FLOPs of the products that <paramref name="work"/> computes.</summary>
    public static double While(Action work)
    {
        var outer = sum;
        sum = 0;
        try
        {
            work();
            return sum.Value;
        }
        finally
        {
            sum = outer + sum;
        }
    }
}
