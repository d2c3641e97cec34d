namespace ResearchKit.Checkpoints;

/// <summary>How to load a published model.</summary>
/// <param name="Mapped">Whether parameters are memory-mapped.</param>
/// <param name="Key">Name of the state dict in a file with several; null for the one that is plainly meant.</param>
internal sealed record LoadOptions(bool Mapped, string? Key)
{
    /// <summary>Number of labels of a new head, 0 for no head; null for the head of the file.</summary>
    public int? Labels { get; init; }

    /// <summary>Whether tensors of another size than in the file keep their initial values.</summary>
    public bool IgnoreMismatched { get; init; }

    /// <summary>Another image size than the configuration's, in pixels; null for the same.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Another vocabulary size than the configuration's, in tokens; null for the same.</summary>
    public int? VocabularySize { get; init; }
}
