namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>Showing a value from the value's side: <c>x.Display()</c>.</summary>
public static class DisplayExtensions
{
    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) =>
        CellFunctions.display(value, mimeTypes);

    /// <summary>Shows text that is already what the mime type says.</summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public static DisplayedValue DisplayAs(this string value, string mimeType) =>
        CellFunctions.Show(Formatted.Raw(value, mimeType), [mimeType]);
}
