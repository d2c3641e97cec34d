using ResearchKit.Native;

namespace ResearchKit.Layers;

/// <summary>
/// Number of tokens that a key-value cache held before the pass that now runs on this thread: the position of its first token.
/// </summary>
/// <remarks>Hooks see only the new tokens; an edit at a position needs to know where they are.</remarks>
internal static class TokenOffset
{
    [ThreadStatic]
    private static int? current;

    /// <summary>The number of earlier tokens; null in a pass without a cache.</summary>
    public static int? Current => current;

    /// <summary>Sets the number until the result is disposed.</summary>
    /// <param name="tokens">The number of earlier tokens; null in a pass without a cache.</param>
    /// <returns>What restores the number before; null if nothing changes.</returns>
    public static IDisposable? Begin(int? tokens)
    {
        if (tokens is null && current is null) return null;
        var before = current;
        current = tokens;
        return Disposable.Of(() => current = before);
    }
}
