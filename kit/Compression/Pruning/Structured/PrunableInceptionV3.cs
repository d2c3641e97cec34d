using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="InceptionV3"/>: each convolution.</summary>
internal sealed class PrunableInceptionV3 : PrunableModel
{
    private readonly InceptionV3Config config;

    public PrunableInceptionV3(InceptionV3 model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var maps = new FeatureMaps(builder);
        var map = maps.Blocks(FeatureMap.Image(config.InputChannels), "",
            "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3");
        foreach (var name in new[] { "Mixed_5b.", "Mixed_5c.", "Mixed_5d." }) map = Map35(maps, map, name);
        map = Narrow35(maps, map, "Mixed_6a.");
        foreach (var name in new[] { "Mixed_6b.", "Mixed_6c.", "Mixed_6d.", "Mixed_6e." }) map = Map17(maps, map, name);
        if (builder.Has("AuxLogits.fc")) maps.Blocks(map, "AuxLogits.", "conv0", "conv1").ReadBy("AuxLogits.fc");
        map = Narrow17(maps, map, "Mixed_7a.");
        foreach (var name in new[] { "Mixed_7b.", "Mixed_7c." }) map = Map8(maps, map, name);
        map.ReadBy("fc");
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept) =>
        new InceptionV3(config with { Channels = FeatureMaps.Channels(Groups, kept, config.Channels) });

    private static FeatureMap Map35(FeatureMaps maps, FeatureMap x, string own) => FeatureMap.Joined(
        maps.Block(x, $"{own}branch1x1"), maps.Blocks(x, own, "branch5x5_1", "branch5x5_2"),
        maps.Blocks(x, own, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), maps.Block(x, $"{own}branch_pool"));

    private static FeatureMap Narrow35(FeatureMaps maps, FeatureMap x, string own) => FeatureMap.Joined(
        maps.Block(x, $"{own}branch3x3"), maps.Blocks(x, own, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), x);

    private static FeatureMap Map17(FeatureMaps maps, FeatureMap x, string own) => FeatureMap.Joined(
        maps.Block(x, $"{own}branch1x1"), maps.Blocks(x, own, "branch7x7_1", "branch7x7_2", "branch7x7_3"),
        maps.Blocks(x, own, "branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
        maps.Block(x, $"{own}branch_pool"));

    private static FeatureMap Narrow17(FeatureMaps maps, FeatureMap x, string own) => FeatureMap.Joined(
        maps.Blocks(x, own, "branch3x3_1", "branch3x3_2"),
        maps.Blocks(x, own, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"), x);

    private static FeatureMap Map8(FeatureMaps maps, FeatureMap x, string own)
    {
        var first = maps.Block(x, $"{own}branch1x1");
        var once = maps.Block(x, $"{own}branch3x3_1");
        var twice = maps.Blocks(x, own, "branch3x3dbl_1", "branch3x3dbl_2");
        return FeatureMap.Joined(first, maps.Block(once, $"{own}branch3x3_2a"), maps.Block(once, $"{own}branch3x3_2b"),
            maps.Block(twice, $"{own}branch3x3dbl_3a"), maps.Block(twice, $"{own}branch3x3dbl_3b"),
            maps.Block(x, $"{own}branch_pool"));
    }
}
