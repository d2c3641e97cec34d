using System.Collections.Concurrent;
using System.ComponentModel;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>Values on their way from one language into a variable of another; not to be called by hand.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SharedValues
{
    private static readonly ConcurrentDictionary<string, object?> Waiting = new(StringComparer.Ordinal);

    /// <summary>Takes a value that was left, once.</summary>
    public static T Take<T>(string key) =>
        Waiting.TryRemove(key, out var value) ? (T)value! : throw new KeyNotFoundException($"No value waits under '{key}'.");

    internal static string Leave(object? value)
    {
        var key = Guid.NewGuid().ToString("N");
        Waiting[key] = value;
        return key;
    }
}
