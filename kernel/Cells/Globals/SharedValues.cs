using System.Collections.Concurrent;
using System.ComponentModel;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>Passes values from one language to a variable of another; for internal use.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SharedValues
{
    private static readonly ConcurrentDictionary<string, object?> Waiting = new(StringComparer.Ordinal);

    /// <summary>Returns and removes a value that was stored under a key.</summary>
    public static T Take<T>(string key) => Waiting.TryRemove(key, out var value) ? (T)value!
        : throw new KeyNotFoundException($"No shared value is stored under '{key}'; each can be taken once.");

    internal static string Leave(object? value)
    {
        var key = Guid.NewGuid().ToString("N");
        Waiting[key] = value;
        return key;
    }
}
