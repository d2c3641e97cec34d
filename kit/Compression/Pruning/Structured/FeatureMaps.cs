namespace ResearchKit.Compression;

/// <summary>The channels of a feature map: groups one after the other, as concatenation leaves them.</summary>
/// <param name="Parts">Groups in their order; null for channels that cannot be removed, such as those of an image.</param>
internal sealed record FeatureMap(IReadOnlyList<(GroupAxes? Group, int Channels)> Parts)
{
    /// <summary>The channels of an image.</summary>
    public static FeatureMap Image(int channels) => new([(null, channels)]);

    /// <summary>The channels of one group.</summary>
    public static FeatureMap Of(GroupAxes group) => new([(group, group.Count)]);

    /// <summary>Feature maps that are concatenated.</summary>
    public static FeatureMap Joined(params IReadOnlyList<FeatureMap> maps) => new([.. maps.SelectMany(map => map.Parts)]);

    /// <summary>Adds a layer that reads the map.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="width">Elements of the layer's input that belong to one channel: those of a flattened map.</param>
    public void ReadBy(string layer, int width = 1)
    {
        var offset = 0;
        foreach (var (group, channels) in Parts)
        {
            group?.Columns(layer, width, offset);
            offset += channels * width;
        }
    }
}

/// <summary>Follows the feature maps through a convolutional network.</summary>
/// <param name="builder">Collects the groups.</param>
internal sealed class FeatureMaps(GroupBuilder builder)
{
    /// <summary>A convolution whose outputs are a group of their own, with the norm after it.</summary>
    /// <param name="input">What it reads.</param>
    /// <param name="group">Name of the group.</param>
    /// <param name="convolution">Name of the convolution.</param>
    /// <param name="norm">Name of the norm; null for none.</param>
    public FeatureMap Convolve(FeatureMap input, string group, string convolution, string? norm)
    {
        var outputs = builder.Add(group, ChannelKind.Convolution, builder.Outputs(convolution));
        Into(outputs, input, convolution, norm);
        return FeatureMap.Of(outputs);
    }

    /// <summary>A convolution that adds to the channels of a group.</summary>
    public static void Into(GroupAxes outputs, FeatureMap input, string convolution, string? norm)
    {
        input.ReadBy(convolution);
        outputs.Rows(convolution);
        if (norm is not null) outputs.Norm(norm);
    }

    /// <summary>A block with the layers <c>conv</c> and <c>bn</c>.</summary>
    public FeatureMap Block(FeatureMap input, string name) => Convolve(input, name, $"{name}.conv", $"{name}.bn");

    /// <summary>Blocks that read each other.</summary>
    public FeatureMap Blocks(FeatureMap input, string prefix, params IReadOnlyList<string> names) =>
        names.Aggregate(input, (map, name) => Block(map, prefix + name));

    /// <summary>A hidden layer of a classifier.</summary>
    /// <param name="input">The feature map, which is flattened.</param>
    /// <param name="layer">Name of the layer.</param>
    /// <param name="width">Elements of a channel of the map.</param>
    public FeatureMap Hidden(FeatureMap input, string layer, int width = 1)
    {
        input.ReadBy(layer, width);
        return FeatureMap.Of(builder.Add(layer, ChannelKind.FeedForward, builder.Outputs(layer)).Rows(layer));
    }

    /// <summary>Channels of the groups that differ from the usual ones, as a configuration names them; null for none.</summary>
    /// <param name="groups">All groups.</param>
    /// <param name="kept">Which channels stay.</param>
    /// <param name="before">The channels that the configuration named before.</param>
    public static Dictionary<string, int>? Channels(IReadOnlyList<ChannelGroup> groups, KeptChannels kept,
        IReadOnlyDictionary<string, int>? before)
    {
        Dictionary<string, int> own = new(before ?? new Dictionary<string, int>());
        foreach (var group in groups)
            if (group.Kind != ChannelKind.Layers && kept.Count(group.Name) != group.Count)
                own[group.Name] = kept.Count(group.Name);
        return own.Count == 0 ? null : own;
    }
}
