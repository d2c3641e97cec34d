namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>A value on the page that can be replaced by a newer one.</summary>
public sealed class DisplayedValue
{
    private readonly string[] mimeTypes;

    internal DisplayedValue(string displayId, string[] mimeTypes) => (DisplayId, this.mimeTypes) = (displayId, mimeTypes);

    /// <summary>The display's name.</summary>
    public string DisplayId { get; }

    /// <summary>Shows another value in this one's place.</summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public void Update(object? updatedValue)
    {
        if (CellScope.Current is not { } cell) return;
        cell.Outputs?.Update(updatedValue, mimeTypes, DisplayId);
        cell.StopIfAsked();
    }
}
