namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>A displayed value, which can be updated.</summary>
public sealed class DisplayedValue
{
    private readonly string[] mimeTypes;

    internal DisplayedValue(string displayId, string[] mimeTypes) => (DisplayId, this.mimeTypes) = (displayId, mimeTypes);

    /// <summary>The id of the display.</summary>
    public string DisplayId { get; }

    /// <summary>Replaces the displayed value.</summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public void Update(object? updatedValue)
    {
        if (CellScope.Current is not { } cell) return;
        cell.Outputs?.Update(updatedValue, mimeTypes, DisplayId);
        cell.StopIfAsked();
    }
}
