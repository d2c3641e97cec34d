namespace ResearchKit.Kernel.Languages;

/// <summary>What a cell's last expression gave.</summary>
/// <param name="Exists">False where the cell ends in a statement.</param>
/// <param name="Value">The value; may be null.</param>
public readonly record struct CellValue(bool Exists, object? Value)
{
    /// <summary>The value of a cell that has none.</summary>
    public static CellValue None => default;
}
