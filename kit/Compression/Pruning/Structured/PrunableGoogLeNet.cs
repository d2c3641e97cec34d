using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="GoogLeNet"/>: each convolution, and the hidden layers of the auxiliary
/// heads.</summary>
internal sealed class PrunableGoogLeNet : PrunableModel
{
    private readonly GoogLeNetConfig config;

    public PrunableGoogLeNet(GoogLeNet model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var maps = new FeatureMaps(builder);
        var map = maps.Blocks(FeatureMap.Image(config.InputChannels), "", "conv1", "conv2", "conv3");
        foreach (var name in new[] { "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b" })
        {
            map = Branches(maps, map, $"inception{name}.");
            if (name is "4a" or "4d" && builder.Has("aux1.fc1")) AddHead(maps, map, name == "4a" ? "aux1" : "aux2");
        }
        map.ReadBy("fc");
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept) =>
        new GoogLeNet(config with { Channels = FeatureMaps.Channels(Groups, kept, config.Channels) });

    private static FeatureMap Branches(FeatureMaps maps, FeatureMap input, string own) => FeatureMap.Joined(
        maps.Block(input, $"{own}branch1"), maps.Blocks(input, own, "branch2.0", "branch2.1"),
        maps.Blocks(input, own, "branch3.0", "branch3.1"), maps.Block(input, $"{own}branch4.1"));

    /// <summary>An auxiliary head flattens a map of 4 × 4.</summary>
    private static void AddHead(FeatureMaps maps, FeatureMap input, string own) =>
        maps.Hidden(maps.Convolve(input, $"{own}.conv", $"{own}.conv.conv", $"{own}.conv.bn"), $"{own}.fc1", 16)
            .ReadBy($"{own}.fc2");
}
