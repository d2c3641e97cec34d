namespace ResearchKit.Checkpoints;

/// <summary>How the linear layers of an ONNX file multiply.</summary>
public enum OnnxPrecision
{
    /// <summary>In float32.</summary>
    Full,

    /// <summary>
    /// In 8-bit integers: weights with a scale for each output channel, inputs rounded as they come with one scale for a tensor.
    /// </summary>
    EightBits,
}

/// <summary>How a model is written as an ONNX file.</summary>
public sealed record OnnxOptions
{
    /// <summary>How linear layers multiply; convolutions, recurrent layers and embeddings stay float32.</summary>
    public OnnxPrecision Precision { get; init; }

    /// <summary>Whether the layer that makes the logits is 8-bit too, where <see cref="Precision"/> is EightBits.</summary>
    public bool QuantizesHead { get; init; }

    /// <summary>
    /// Whether 8-bit weights are rounded to 7 bits. x64 processors without VNNI instructions add pairs of products in 16 bits,
    /// which 8-bit weights can overflow.
    /// </summary>
    public bool ReducesRange { get; init; }

    /// <summary>
    /// Whether a transformer has the input <c>attention_mask</c>, int64 [batch, time], 0 = padding.
    /// </summary>
    public bool HasAttentionMask { get; init; }

    /// <summary>Whether a BERT has the input <c>token_type_ids</c>, int64 [batch, time]; without it all are 0.</summary>
    public bool HasTokenTypes { get; init; }

    /// <summary>
    /// Height and width of the images of a VGG, whose pooling depends on it; null for the size at which its last feature map is
    /// what it pools to, such as 224. The other convolutional networks take any size.
    /// </summary>
    public int? ImageSize { get; init; }

    /// <summary>
    /// Whether the weights are written into a second file beside the first, named like it with <c>.data</c> at the end. A
    /// model of 2 GB and more is always written so.
    /// </summary>
    public bool SeparatesWeights { get; init; }
}
