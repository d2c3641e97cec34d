using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>How the states of a sequence become one vector.</summary>
public enum SequencePooling
{
    /// <summary>The state after the last vector; with both directions, each after its own last.</summary>
    Last,

    /// <summary>The mean of the states at all places of the sequence.</summary>
    Mean,
}

/// <summary>Shape of a <see cref="RecurrentClassifier"/>.</summary>
public sealed record RecurrentClassifierConfig
{
    /// <summary>Channels of an input vector, such as the bands of a mel spectrogram.</summary>
    public int InputWidth { get; init; } = 40;

    /// <summary>Number of classes.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>LSTM or GRU.</summary>
    public RecurrentCell Cell { get; init; }

    /// <summary>Channels of the state, in each direction.</summary>
    public int HiddenWidth { get; init; } = 64;

    /// <summary>Whether the recurrent layers add biases.</summary>
    public bool HasRecurrentBias { get; init; } = true;

    /// <summary>Recurrent layers.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Read from both ends.</summary>
    public bool Bidirectional { get; init; } = true;

    /// <summary>How the states become one vector.</summary>
    public SequencePooling Pooling { get; init; } = SequencePooling.Mean;

    /// <summary>Dropout between layers and before the head.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>A bidirectional LSTM over 40 mel bands.</summary>
    public static RecurrentClassifierConfig SpeechLstm => new();

    /// <summary>A bidirectional GRU over 40 mel bands.</summary>
    public static RecurrentClassifierConfig SpeechGru => new() { Cell = RecurrentCell.Gru };

    internal RecurrentClassifierConfig Validated()
    {
        Require.Sizes((Classes, nameof(Classes)));
        return this;
    }
}
