using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Configuration of a <see cref="TransformerClassifier"/>.</summary>
public sealed record TransformerClassifierConfig
{
    /// <summary>Width of an input vector.</summary>
    public int InputWidth { get; init; } = 100;

    /// <summary>Width of the residual stream, d_model; a multiple of <see cref="Heads"/>.</summary>
    public int ModelWidth { get; init; } = 256;

    /// <summary>Attention heads of a layer.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Number of layers.</summary>
    public int Layers { get; init; } = 2;

    /// <summary>Channels inside an MLP.</summary>
    public int FeedForwardWidth { get; init; } = 512;

    /// <summary>Number of classes.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Longest sequence the model accepts, in vectors.</summary>
    public int ContextLength { get; init; } = 512;

    /// <summary>Dropout of the embeddings and inside the layers.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Positional encoding; one that acts on the embeddings.</summary>
    public Positions Positions { get; init; } = Positions.Sinusoidal;

    /// <summary>A common introductory example: 100 input channels, width 256, 8 heads, 10 classes.</summary>
    public static TransformerClassifierConfig First => new();

    internal TransformerClassifierConfig Validated()
    {
        Require.Sizes((InputWidth, nameof(InputWidth)), (ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)),
            (Layers, nameof(Layers)), (FeedForwardWidth, nameof(FeedForwardWidth)), (Classes, nameof(Classes)),
                (ContextLength, nameof(ContextLength)));
        Require.Divisible((ModelWidth, nameof(ModelWidth)), (Heads, nameof(Heads)));
        return Positions is Positions.Rotary or Positions.Alibi
            ? throw new ArgumentException($"{Positions} positions act inside the attention; "
                + "this model needs positions that are added to its embeddings.")
            : this;
    }
}

/// <summary>
/// A basic transformer classifier: linear embedding, positional encoding, dropout, transformer encoder, mean
/// over time, linear head.
/// </summary>
/// <remarks>
/// Without positional encoding, the model treats the sequence as a set and cannot learn its order.
/// </remarks>
public sealed class TransformerClassifier : Module<Tensor, Tensor>
{
    private readonly Dense embedding;
    private readonly PositionalEncoding positions;
    private readonly Dropout dropout;
    private readonly ModuleList<EncoderLayer> layers;
    private readonly Dense head;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public TransformerClassifier(TransformerClassifierConfig config) : base(nameof(TransformerClassifier))
    {
        Config = config.Validated();
        embedding = new Dense(config.InputWidth, config.ModelWidth);
        positions = PositionalEncoding.Create(config.Positions, config.ContextLength, config.ModelWidth, config.Heads);
        dropout = Dropout(config.Dropout);
        layers = ModuleList([.. Enumerable.Range(0, config.Layers).Select(_ =>
            new EncoderLayer(config.ModelWidth, config.Heads, config.FeedForwardWidth, config.Dropout))]);
        head = new Dense(config.ModelWidth, config.Classes);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public TransformerClassifierConfig Config { get; }

    /// <summary>Returns the logits of the classes.</summary>
    /// <param name="x">[batch, time, input channels].</param>
    /// <returns>[batch, classes].</returns>
    /// <exception cref="ArgumentException">Wrong shape, or more vectors than the context length.</exception>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return head.call(Features(x).mean([1])).MoveToOuterDisposeScope();
    }

    /// <summary>Returns the output of the encoder: the model without pooling and head.</summary>
    /// <param name="x">[batch, time, input channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Features(Tensor x)
    {
        var (_, _, channels) = x.Axes3();
        if (channels != Config.InputWidth)
            throw new ArgumentException($"Got {x.ShapeText()}; expected [batch, time, {Config.InputWidth}].", nameof(x));
        using var scope = NewDisposeScope();
        x = dropout.call(positions.call(embedding.call(x)));   // [batch, time, channels]
        foreach (var layer in layers) x = layer.call(x);
        return x.MoveToOuterDisposeScope();
    }
}
