using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Languages.FSharp;

/// <summary>What F# cells can call in F#'s way, such as <c>x |> display</c>.</summary>
public static class FSharpFunctions
{
    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue display(object? value) => CellFunctions.display(value);

    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => CellFunctions.display(value, mimeTypes);
}
