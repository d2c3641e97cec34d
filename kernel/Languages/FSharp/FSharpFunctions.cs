using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>Functions for F# cells that can be piped into, such as <c>x |> display</c>.</summary>
public static class FSharpFunctions
{
    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue display(object? value) => CellFunctions.display(value);

    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => CellFunctions.display(value, mimeTypes);
}
