namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>Display functions as extension methods: <c>x.Display()</c>.</summary>
public static class DisplayExtensions
{
    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) =>
        CellFunctions.display(value, mimeTypes);

    /// <summary>Displays text that already is in a mime type.</summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public static DisplayedValue DisplayAs(this string value, string mimeType) =>
        CellFunctions.Show(Formatted.Raw(value, mimeType), [mimeType]);
}
