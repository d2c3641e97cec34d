namespace ResearchKit.Kernel.Notebooks;

/// <summary>What a cell is, in nbformat's words.</summary>
public enum CellKind
{
    /// <summary>A program; it may have outputs.</summary>
    Code,

    /// <summary>Text with markup.</summary>
    Markdown,

    /// <summary>Text that passes through unchanged.</summary>
    Raw,
}
