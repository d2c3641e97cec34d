using ResearchKit.Tensors;

namespace ResearchKit.Models;

/// <summary>Pooling of the states of a sequence into one vector.</summary>
public enum SequencePooling
{
    /// <summary>
    /// The state after the last vector; in a bidirectional model, the last state of each direction.
    /// </summary>
    Last,

    /// <summary>The mean of the states over the sequence.</summary>
    Mean,
}

/// <summary>Configuration of a <see cref="RecurrentClassifier"/>.</summary>
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

    /// <summary>Number of recurrent layers.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether to process sequences in both directions.</summary>
    public bool Bidirectional { get; init; } = true;

    /// <summary>Pooling of the states into one vector.</summary>
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
