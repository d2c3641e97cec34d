namespace ResearchKit.Compression;

/// <summary>What the channels of a <see cref="ChannelGroup"/> are.</summary>
public enum ChannelKind
{
    /// <summary>Attention heads; with grouped queries, a key head with its query heads.</summary>
    Heads,

    /// <summary>Channels inside an MLP, or of a hidden layer of a classifier.</summary>
    FeedForward,

    /// <summary>Channels of the residual stream: of all layers at once.</summary>
    Width,

    /// <summary>Whole layers of a transformer, or blocks of a residual network.</summary>
    Layers,

    /// <summary>Output channels of convolutions.</summary>
    Convolution,

    /// <summary>Units of the state of a recurrent layer.</summary>
    Hidden,

    /// <summary>Channels of token embeddings, where they are not those of the residual stream.</summary>
    Embedding,
}

/// <summary>What a part of a tensor does with a channel.</summary>
public enum ChannelRole
{
    /// <summary>It computes the channel: rows of a weight, and the bias.</summary>
    Writes,

    /// <summary>It belongs to a norm on the channel: weight, bias and statistics.</summary>
    Norm,

    /// <summary>It reads the channel: columns of a weight.</summary>
    Reads,
}

/// <summary>Where the channels of a group lie in one tensor of the model.</summary>
/// <param name="Tensor">Name of the parameter or buffer.</param>
/// <param name="Axis">Axis of the tensor, from 0.</param>
/// <param name="Role">What it does with the channels.</param>
/// <param name="Width">Consecutive elements of the axis that belong to one channel, such as the width of a head.</param>
/// <param name="Offset">Element of the axis at which the first channel begins.</param>
public sealed record ChannelAxis(string Tensor, int Axis, ChannelRole Role, int Width = 1, int Offset = 0);

/// <summary>
/// A dependency group: channels that can be removed from a model one by one, each with its parts in all tensors that it touches.
/// </summary>
/// <param name="Name">Name of the group: where in the model it is, such as <c>h.0.mlp</c>.</param>
/// <param name="Kind">What its channels are.</param>
/// <param name="Count">Number of channels.</param>
/// <param name="Axes">Where the channels lie in the tensors of the model.</param>
public sealed record ChannelGroup(string Name, ChannelKind Kind, int Count, IReadOnlyList<ChannelAxis> Axes)
{
    /// <summary>
    /// Name of the set of groups that must lose equally many channels, as the layers of one LSTM must; null for none.
    /// </summary>
    public string? EqualCounts { get; init; }

    /// <summary>
    /// For <see cref="ChannelKind.Layers"/>: how the names of the tensors of a layer begin, before its number.
    /// </summary>
    public string? LayerPrefix { get; init; }

    /// <summary>For <see cref="ChannelKind.Layers"/>: the number of the first layer that can be removed.</summary>
    public int FirstLayer { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Count} {Kind switch
    {
        ChannelKind.Heads => "heads",
        ChannelKind.Layers => "layers",
        ChannelKind.Hidden => "units",
        _ => "channels",
    }}{(Axes.Count == 0 ? "" : $" in {Axes.Select(axis => axis.Tensor).Distinct().Count()} tensors")}";
}
