using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="Vgg"/>: each convolution, and both hidden layers of the classifier.</summary>
internal sealed class PrunableVgg : PrunableModel
{
    private readonly VggConfig config;
    private readonly List<List<string>> stages = [];   // names of the convolutions

    public PrunableVgg(Vgg model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var maps = new FeatureMaps(builder);
        var map = FeatureMap.Image(config.InputChannels);
        var place = 0;
        foreach (var stage in config.Stages)
        {
            stages.Add([]);
            foreach (var _ in stage)
            {
                var name = $"features.{place}";
                map = maps.Convolve(map, name, name, config.BatchNorm ? $"features.{place + 1}" : null);
                stages[^1].Add(name);
                place += config.BatchNorm ? 3 : 2;   // norm and ReLU
            }
            place++;   // pooling
        }
        map = maps.Hidden(map, First, config.PooledSize * config.PooledSize);
        maps.Hidden(map, Second).ReadBy("classifier.6");
        Groups = builder.Groups;
    }

    private const string First = "classifier.0", Second = "classifier.3";

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        var (first, second) = (kept.Count(First), kept.Count(Second));
        return new Vgg(config with
        {
            Stages = [.. stages.Select(stage => stage.Select(name => kept.Count(name)).ToArray())],
            HiddenWidth = first,
            HiddenWidths = first == second ? null : [first, second],
        });
    }
}
