using ResearchKit.Native;

namespace ResearchKit.Tensors;

/// <summary>
/// Sums the floating-point operations (FLOPs) of products on this thread, while a count is running.
/// </summary>
internal static class FlopTally
{
    [ThreadStatic]
    private static OperationCounts? sum;

    /// <summary>Whether a count is running on this thread.</summary>
    public static bool IsAsked => sum is not null;

    /// <summary>The FLOPs that the innermost count has so far; 0 without one.</summary>
    public static double SoFar => Counts.Forward;

    /// <summary>The same by kind.</summary>
    public static OperationCounts Counts => sum ?? default;

    /// <summary>Adds a product of this many multiplications, each with an addition, to the count.</summary>
    /// <param name="multiplications">Number of multiplications.</param>
    /// <param name="kind">Kind of product.</param>
    /// <param name="gradients">Number of factors that need a gradient, 0 to 2.</param>
    /// <param name="visible">Share of the multiplications that a causal mask does not hide.</param>
    public static void Add(double multiplications, ProductKind kind = ProductKind.Other, int gradients = 0, double visible = 1)
    {
        if (sum is not { } before) return;
        var operations = 2 * multiplications;
        sum = before + new OperationCounts
        {
            Linear = kind == ProductKind.Linear ? operations : 0,
            Convolution = kind == ProductKind.Convolution ? operations : 0,
            Attention = kind == ProductKind.Attention ? operations : 0,
            CausalAttention = kind == ProductKind.Attention ? operations * visible : 0,
            Other = kind == ProductKind.Other ? operations : 0,
            Backward = operations * gradients,
            CausalBackward = operations * visible * gradients,
        };
    }

    /// <summary>Notes that the backward pass repeats what was counted since an earlier count.</summary>
    public static void Repeats(OperationCounts before)
    {
        if (sum is { } now) sum = now with { Recomputed = now.Recomputed + now.Forward - before.Forward };
    }

    /// <summary>Does not count until the returned object is disposed: the caller has counted already.</summary>
    public static IDisposable Pause()
    {
        var before = sum;
        sum = null;
        return Disposable.Of(() => sum = before);
    }

    /// <summary>Counts the FLOPs of the products that <paramref name="work"/> computes.</summary>
    public static double While(Action work) => CountsWhile(work).Forward;

    /// <summary>Counts the FLOPs of the products that <paramref name="work"/> computes by kind.</summary>
    public static OperationCounts CountsWhile(Action work)
    {
        var outer = sum;
        sum = default(OperationCounts);
        try
        {
            work();
            return sum.Value;
        }
        finally
        {
            sum = outer is { } others ? others + (sum ?? default) : null;
        }
    }
}
