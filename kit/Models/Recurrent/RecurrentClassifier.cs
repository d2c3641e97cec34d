using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Reads a sequence of vectors with an LSTM or GRU and says of which class it is.</summary>
/// <remarks>What stands beyond a sequence's length changes nothing.</remarks>
public sealed class RecurrentClassifier : Module<Tensor, Tensor>
{
    private readonly RecurrentLayer rnn;
    private readonly Dropout dropout;
    private readonly Dense head;

    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
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

    /// <summary>The shape of the model.</summary>
    public RecurrentClassifierConfig Config { get; }

    /// <summary>Logits of the classes of sequences that are all as long as the tensor.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, classes].</returns>
    public override Tensor forward(Tensor x) => Classify(x, null);

    /// <summary>Logits of the classes.</summary>
    /// <param name="x">[batch, time, channels]; anything beyond a sequence's length.</param>
    /// <param name="lengths">Vectors of each sequence, int64 [batch], at least 1; null if all are whole.</param>
    /// <returns>[batch, classes].</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a length is out of range.</exception>
    public Tensor Classify(Tensor x, Tensor? lengths)
    {
        using var scope = NewDisposeScope();
        return Head(Features(x, lengths)).MoveToOuterDisposeScope();
    }

    /// <summary>One vector for each sequence: all but the head.</summary>
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
            // [direction, batch, hidden], the top layer's
            return read.State.Hidden.narrow(0, (Config.Layers - 1) * directions, directions)
                .transpose(0, 1).reshape(batch, directions * width).MoveToOuterDisposeScope();
        }
        var sum = read.Output.sum(1);   // zero beyond the lengths
        return (lengths is null ? sum / x.shape[1] : sum / lengths.to(sum.device).to(sum.dtype).unsqueeze(1))
            .MoveToOuterDisposeScope();
    }

    /// <summary>From one vector a sequence to logits.</summary>
    /// <param name="features">[batch, directions · hidden].</param>
    /// <returns>[batch, classes].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return head.call(dropout.call(features)).MoveToOuterDisposeScope();
    }
}
