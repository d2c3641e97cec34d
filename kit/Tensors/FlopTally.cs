namespace ResearchKit.Tensors;

/// <summary>Adds up the floating-point operations of products on this thread, while somebody asks.</summary>
internal static class FlopTally
{
    [ThreadStatic]
    private static double? sum;

    /// <summary>Whether somebody asks.</summary>
    public static bool IsAsked => sum is not null;

    /// <summary>A product of so many multiplications, each with an addition, is made.</summary>
    public static void Add(double multiplications)
    {
        if (sum is { } before) sum = before + (2 * multiplications);
    }

    /// <summary>Operations of the products that are made in this.</summary>
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
