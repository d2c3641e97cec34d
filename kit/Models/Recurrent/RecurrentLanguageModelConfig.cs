using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Shape of a <see cref="RecurrentLanguageModel"/>.</summary>
public sealed record RecurrentLanguageModelConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>LSTM or GRU.</summary>
    public RecurrentCell Cell { get; init; }

    /// <summary>Channels of a token's vector.</summary>
    public int EmbeddingWidth { get; init; } = 128;

    /// <summary>Channels of the state.</summary>
    public int HiddenWidth { get; init; } = 256;

    /// <summary>Whether the recurrent layers add biases.</summary>
    public bool HasRecurrentBias { get; init; } = true;

    /// <summary>Recurrent layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Dropout of the embeddings, between layers and before the head.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>
    /// The output layer shares the weight of the embedding (Press and Wolf, 2016, https://arxiv.org/abs/1608.05859); the two
    /// widths are then equal.
    /// </summary>
    public bool TiedEmbedding { get; init; }

    /// <summary>Reads and writes characters; trains in a minute on a CPU.</summary>
    public static RecurrentLanguageModelConfig CharacterLstm => new() { VocabularySize = 65 };

    /// <summary>The same with GRUs and one matrix for reading and writing tokens.</summary>
    public static RecurrentLanguageModelConfig CharacterGru =>
        new() { VocabularySize = 65, Cell = RecurrentCell.Gru, EmbeddingWidth = 256, TiedEmbedding = true };

    internal RecurrentLanguageModelConfig Validated()
    {
        Require.Sizes((VocabularySize, nameof(VocabularySize)));
        Require.Sizes((EmbeddingWidth, nameof(EmbeddingWidth)));
        return !TiedEmbedding || EmbeddingWidth == HiddenWidth ? this : throw new ArgumentException(
            $"EmbeddingWidth {EmbeddingWidth} and HiddenWidth {HiddenWidth} differ; a tied embedding needs them equal.");
    }
}
