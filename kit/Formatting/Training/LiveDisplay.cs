namespace ResearchKit.Formatting;

/// <summary>
/// Shows something that changes: the seam that each notebook host fills, and lines of text where there is none.
/// </summary>
internal static class LiveDisplay
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <summary>The host's display: shows an object, and returns what replaces it by another. Null where no host is.</summary>
    public static Func<object, Action<object>>? Host { get; set; }

    /// <summary>Shows an object.</summary>
    /// <returns>What replaces it; the second argument says that no other follows.</returns>
    public static Action<object, bool> Show(object first)
    {
        if (Host is { } host)
        {
            var replace = host(first);
            return (next, _) => replace(next);
        }
        var written = DateTime.MinValue;
        void Write(object next, bool final)
        {
            if (!final && DateTime.UtcNow - written < LineInterval) return;
            written = DateTime.UtcNow;
            Console.WriteLine(next);
        }
        Write(first, false);
        return Write;
    }
}
