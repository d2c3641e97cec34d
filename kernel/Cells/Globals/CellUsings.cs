using System.ComponentModel;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>The values of using declarations at the top of cells; for internal use.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class CellUsings
{
    /// <summary>Returns the value, which is disposed when the cell has ended and its value was displayed.</summary>
    public static T Keep<T>(T value)
        where T : IDisposable?
    {
        CellScope.Current?.Keep(() =>
        {
            value?.Dispose();
            return ValueTask.CompletedTask;
        });
        return value;
    }

    /// <inheritdoc cref="Keep"/>
    public static T KeepAsync<T>(T value)
        where T : IAsyncDisposable?
    {
        CellScope.Current?.Keep(() => value is null ? ValueTask.CompletedTask : value.DisposeAsync());
        return value;
    }
}
