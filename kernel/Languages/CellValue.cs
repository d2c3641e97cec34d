namespace ResearchKit.Kernel.Languages;

/// <summary>The value of a cell's last expression.</summary>
/// <param name="Exists">False if the cell ends in a statement.</param>
/// <param name="Value">The value; may be null.</param>
public readonly record struct CellValue(bool Exists, object? Value)
{
    /// <summary>No value.</summary>
    public static CellValue None => default;
}
