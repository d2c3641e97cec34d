using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Classifies sequences of vectors with an LSTM or GRU.</summary>
/// <remarks>Values beyond a sequence's length do not affect the result.</remarks>
public sealed class RecurrentClassifier : Module<Tensor, Tensor>
{
    private readonly RecurrentLayer rnn;
    private readonly Dropout dropout;
    private readonly Dense head;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public RecurrentClassifier(RecurrentClassifierConfig config) : base(nameof(RecurrentClassifier))
    {
        Config = config.Validated();
        rnn = config.Cell.Make(new RecurrentShape
        {
            InputWidth = config.InputWidth,
            HiddenWidth = config.HiddenWidth,
            Layers = config.Layers,
            HasBias = config.HasRecurrentBias,
            Bidirectional = config.Bidirectional,
            Dropout = config.Dropout,
        });
        dropout = Dropout(config.Dropout);
        head = new Dense(config.HiddenWidth * (config.Bidirectional ? 2 : 1), config.Classes);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public RecurrentClassifierConfig Config { get; }

    /// <summary>Returns the logits of the classes, for sequences that all have the full length.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, classes].</returns>
    public override Tensor forward(Tensor x) => Classify(x, null);

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="x">[batch, time, channels]; values beyond a sequence's length are ignored.</param>
    /// <param name="lengths">
    /// Length of each sequence, int64 [batch], at least 1; null if all have the full length.
    /// </param>
    /// <returns>[batch, classes].</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or a length is out of range.</exception>
    public Tensor Classify(Tensor x, Tensor? lengths)
    {
        using var scope = NewDisposeScope();
        return Head(Features(x, lengths)).MoveToOuterDisposeScope();
    }

    /// <summary>Returns one vector for each sequence: the model without its head.</summary>
    /// <inheritdoc cref="Classify"/>
    /// <returns>[batch, directions · hidden].</returns>
    public Tensor Features(Tensor x, Tensor? lengths = null)
    {
        using var scope = NewDisposeScope();
        var read = rnn.Read(x, lengths);
        if (Config.Pooling == SequencePooling.Last)
        {
            var (_, batch, width) = read.State.Hidden.Axes3();
            var directions = rnn.Shape.Directions;
            // [direction, batch, hidden] of the top layer
            return read.State.Hidden.narrow(0, (Config.Layers - 1) * directions, directions)
                .transpose(0, 1).reshape(batch, directions * width).MoveToOuterDisposeScope();
        }
        var sum = read.Output.sum(1);   // the output is zero beyond the lengths
        return (lengths is null ? sum / x.shape[1] : sum / lengths.to(sum.device).to(sum.dtype).unsqueeze(1))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits from one vector per sequence.</summary>
    /// <param name="features">[batch, directions · hidden].</param>
    /// <returns>[batch, classes].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return head.call(dropout.call(features)).MoveToOuterDisposeScope();
    }
}
