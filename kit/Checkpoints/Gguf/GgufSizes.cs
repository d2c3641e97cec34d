namespace ResearchKit.Checkpoints;

/// <summary>The sizes that every transformer of a GGUF file states.</summary>
/// <param name="ContextLength">Longest sequence, in tokens.</param>
/// <param name="ModelWidth">Width of the residual stream.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="FeedForwardWidth">Channels inside an MLP.</param>
/// <param name="Heads">Attention heads of a layer.</param>
internal sealed record GgufSizes(int ContextLength, int ModelWidth, int Layers, int FeedForwardWidth, int Heads)
{
    private const string Context = "context_length", Width = "embedding_length", Blocks = "block_count",
        FeedForward = "feed_forward_length", HeadCount = "attention.head_count";

    /// <summary>Reads the sizes of a file.</summary>
    /// <exception cref="InvalidDataException">One is missing or no size.</exception>
    public static GgufSizes Of(GgufSettings file) => new(file.Size(Context), file.Size(Width), file.Size(Blocks),
        file.Size(FeedForward), file.Size(HeadCount));

    /// <summary>The values of a file, without the name of the architecture before them.</summary>
    public IEnumerable<(string Name, object Value)> Values =>
        [(Context, ContextLength), (Width, ModelWidth), (Blocks, Layers), (FeedForward, FeedForwardWidth), (HeadCount, Heads)];
}
