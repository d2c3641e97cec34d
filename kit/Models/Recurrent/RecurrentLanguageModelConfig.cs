using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Configuration of a <see cref="RecurrentLanguageModel"/>.</summary>
public sealed record RecurrentLanguageModelConfig
{
    /// <summary>Number of different tokens.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>LSTM or GRU.</summary>
    public RecurrentCell Cell { get; init; }

    /// <summary>Width of the token embeddings.</summary>
    public int EmbeddingWidth { get; init; } = 128;

    /// <summary>Channels of the state.</summary>
    public int HiddenWidth { get; init; } = 256;

    /// <summary>Whether the recurrent layers add biases.</summary>
    public bool HasRecurrentBias { get; init; } = true;

    /// <summary>Number of recurrent layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Dropout of the embeddings, between layers and before the head.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>
    /// Whether the output layer shares its weight with the embedding (Press and Wolf, 2016,
    /// https://arxiv.org/abs/1608.05859); both widths must then be equal.
    /// </summary>
    public bool TiedEmbedding { get; init; }

    /// <summary>Character-level model; trains in a minute on a CPU.</summary>
    public static RecurrentLanguageModelConfig CharacterLstm => new() { VocabularySize = 65 };

    /// <summary>Like <see cref="CharacterLstm"/>, with GRUs and tied embeddings.</summary>
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
