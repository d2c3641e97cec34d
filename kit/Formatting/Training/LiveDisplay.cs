namespace ResearchKit.Formatting;

/// <summary>
/// Shows an object that changes over time, through the notebook host's live display, or as lines of text
/// without a host.
/// </summary>
internal static class LiveDisplay
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The host's display: shows an object and returns an action that replaces it by another. Null without a host.
    /// </summary>
    public static Func<object, Action<object>>? Host { get; set; }

    /// <summary>Shows an object.</summary>
    /// <returns>
    /// An action that replaces the object; its second argument says that this is the last replacement.
    /// </returns>
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
