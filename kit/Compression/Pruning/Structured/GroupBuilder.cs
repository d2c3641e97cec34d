using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Collects the dependency groups of a model by the names of its layers.</summary>
internal sealed class GroupBuilder
{
    private readonly Dictionary<string, Tensor> tensors;
    private readonly List<(ChannelGroup Group, List<ChannelAxis> Axes)> groups = [];

    /// <param name="model">The model: a layer that has no bias gets no axis for one.</param>
    public GroupBuilder(nn.Module model) => tensors = ModelTensors.Of(model);

    /// <summary>The groups so far.</summary>
    public IReadOnlyList<ChannelGroup> Groups => [.. groups.Select(pair => pair.Group)];

    /// <summary>Output channels of a layer.</summary>
    public int Outputs(string layer) => (int)tensors[$"{layer}.weight"].shape[0];

    /// <summary>Whether the model has a layer.</summary>
    public bool Has(string layer) => tensors.ContainsKey($"{layer}.weight");

    /// <summary>Starts a group.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kind">What its channels are.</param>
    /// <param name="count">Number of channels.</param>
    /// <param name="equalCounts">Name of the set of groups that must lose equally many; null for none.</param>
    public GroupAxes Add(string name, ChannelKind kind, int count, string? equalCounts = null)
    {
        List<ChannelAxis> axes = [];
        groups.Add((new ChannelGroup(name, kind, count, axes) { EqualCounts = equalCounts }, axes));
        return new GroupAxes(axes, tensors, count);
    }

    /// <summary>Adds whole layers.</summary>
    /// <param name="name">Name of the group.</param>
    /// <param name="prefix">How the names of a layer's tensors begin, before its number.</param>
    /// <param name="count">Number of layers.</param>
    /// <param name="first">Number of the first layer that can be removed.</param>
    public void AddLayers(string name, string prefix, int count, int first = 0)
    {
        if (count - first < 1) return;
        groups.Add((new ChannelGroup(name, ChannelKind.Layers, count - first, [])
        {
            LayerPrefix = prefix,
            FirstLayer = first,
        }, []));
    }
}

/// <summary>Adds the places of one group.</summary>
/// <param name="axes">The places so far.</param>
/// <param name="tensors">Tensors of the model by name.</param>
/// <param name="count">Channels of the group.</param>
internal sealed class GroupAxes(List<ChannelAxis> axes, IReadOnlyDictionary<string, Tensor> tensors, int count)
{
    /// <summary>Number of channels.</summary>
    public int Count => count;

    /// <summary>A layer that computes the channels, stored as [out, in, ...].</summary>
    public GroupAxes Rows(string layer, int width = 1, int offset = 0) =>
        Place($"{layer}.weight", 0, ChannelRole.Writes, width, offset)
        .Place($"{layer}.bias", 0, ChannelRole.Writes, width, offset);

    /// <summary>A layer that reads the channels, stored as [out, in, ...].</summary>
    public GroupAxes Columns(string layer, int width = 1, int offset = 0) =>
        Place($"{layer}.weight", 1, ChannelRole.Reads, width, offset);

    /// <summary>A layer of GPT-2 that computes the channels, stored as [in, out].</summary>
    public GroupAxes TransposedRows(string layer, int width = 1, int offset = 0) =>
        Place($"{layer}.weight", 1, ChannelRole.Writes, width, offset)
        .Place($"{layer}.bias", 0, ChannelRole.Writes, width, offset);

    /// <summary>A layer of GPT-2 that reads the channels, stored as [in, out].</summary>
    public GroupAxes TransposedColumns(string layer, int width = 1, int offset = 0) =>
        Place($"{layer}.weight", 0, ChannelRole.Reads, width, offset);

    /// <summary>A table with the channels as columns, such as token embeddings.</summary>
    public GroupAxes Table(string layer) => Place($"{layer}.weight", 1, ChannelRole.Writes);

    /// <summary>A norm on the channels.</summary>
    public GroupAxes Norm(string layer)
    {
        foreach (var part in new[] { "weight", "bias", "running_mean", "running_var" })
            Place($"{layer}.{part}", 0, ChannelRole.Norm);
        return this;
    }

    /// <summary>A part of a tensor; nothing if the model has no such tensor.</summary>
    public GroupAxes Place(string tensor, int axis, ChannelRole role, int width = 1, int offset = 0)
    {
        if (tensors.ContainsKey(tensor)) axes.Add(new ChannelAxis(tensor, axis, role, width, offset));
        return this;
    }
}
