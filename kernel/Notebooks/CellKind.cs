namespace ResearchKit.Kernel.Notebooks;

/// <summary>The cell types of nbformat.</summary>
public enum CellKind
{
    /// <summary>Code, which may have outputs.</summary>
    Code,

    /// <summary>Markdown text.</summary>
    Markdown,

    /// <summary>Raw text, which is not rendered.</summary>
    Raw,
}
