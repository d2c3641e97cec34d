using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Dependency groups of <see cref="ResNet"/>: the channels inside each block, those between the blocks of a stage, and the
/// blocks.
/// </summary>
/// <remarks>Grouped convolutions (ResNeXt) have no group for the channels inside a block.</remarks>
internal sealed class PrunableResNet : PrunableModel
{
    private readonly ResNetConfig config;

    public PrunableResNet(ResNet model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var maps = new FeatureMaps(builder);
        var stream = builder.Add("conv1", ChannelKind.Convolution, builder.Outputs("conv1"));
        FeatureMaps.Into(stream, FeatureMap.Image(config.InputChannels), "conv1", "bn1");
        for (var stage = 0; stage < 4; stage++)
        {
            var name = $"layer{stage + 1}";
            var input = FeatureMap.Of(stream);
            var last = config.Block == ResidualBlock.Basic ? "conv2" : "conv3";
            if (config.Projects(stage))
            {
                stream = builder.Add(name, ChannelKind.Convolution, builder.Outputs($"{name}.0.{last}"));
                FeatureMaps.Into(stream, input, $"{name}.0.downsample.0", $"{name}.0.downsample.1");
            }
            for (var block = 0; block < config.Blocks[stage]; block++)
            {
                AddBlock(builder, maps, $"{name}.{block}", input, stream);
                input = FeatureMap.Of(stream);
            }
            builder.AddLayers(BlocksOf(stage), $"{name}.", config.Blocks[stage], config.Projects(stage) ? 1 : 0);
        }
        stream.Columns("fc");
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        int[][] blocks = [.. Enumerable.Range(0, 4).Select(stage => Blocks(kept, stage))];
        var channels = FeatureMaps.Channels(Groups, kept, config.Channels);
        return new ResNet(config with
        {
            Blocks = [.. blocks.Select(stage => stage.Length)],
            Channels = channels is null ? null : Renumbered(channels, blocks),
        });
    }

    public override IReadOnlyList<string> Branches(ChannelGroup group, int layer) =>
        [$"{group.LayerPrefix}{layer}.{(config.Block == ResidualBlock.Basic ? "bn2" : "bn3")}"];

    private static string BlocksOf(int stage) => $"layer{stage + 1}.blocks";

    private int[] Blocks(KeptChannels kept, int stage)
    {
        var group = Groups.FirstOrDefault(group => group.Name == BlocksOf(stage));
        int[] first = config.Projects(stage) ? [0] : [];
        return group is null ? [.. Enumerable.Range(0, config.Blocks[stage])]
            : [.. first, .. kept[group.Name].Select(block => block + group.FirstLayer)];
    }

    /// <summary>Gives the blocks that stay their new numbers; null if no block has channels of its own.</summary>
    private static Dictionary<string, int>? Renumbered(Dictionary<string, int> channels, int[][] blocks)
    {
        Dictionary<string, int> result = [];
        foreach (var (name, width) in channels)
        {
            var parts = name.Split('.');
            if (parts.Length < 3)
            {
                result[name] = width;
                continue;
            }
            var place = Array.IndexOf(blocks[parts[0][^1] - '1'], int.Parse(parts[1],
                System.Globalization.CultureInfo.InvariantCulture));
            if (place >= 0) result[$"{parts[0]}.{place}.{parts[2]}"] = width;
        }
        return result.Count == 0 ? null : result;
    }

    private void AddBlock(GroupBuilder builder, FeatureMaps maps, string own, FeatureMap input, GroupAxes stream)
    {
        if (config.Block == ResidualBlock.Basic)
        {
            var inner = maps.Convolve(input, $"{own}.conv1", $"{own}.conv1", $"{own}.bn1");
            FeatureMaps.Into(stream, inner, $"{own}.conv2", $"{own}.bn2");
            return;
        }
        if (config.Groups > 1)
        {
            FeatureMaps.Into(stream, FeatureMap.Image(builder.Outputs($"{own}.conv2")), $"{own}.conv3", $"{own}.bn3");
            input.ReadBy($"{own}.conv1");
            return;
        }
        var narrow = maps.Convolve(input, $"{own}.conv1", $"{own}.conv1", $"{own}.bn1");
        var wide = maps.Convolve(narrow, $"{own}.conv2", $"{own}.conv2", $"{own}.bn2");
        FeatureMaps.Into(stream, wide, $"{own}.conv3", $"{own}.bn3");
    }
}
