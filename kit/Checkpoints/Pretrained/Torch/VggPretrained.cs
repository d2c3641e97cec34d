using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>Loads and saves VGG networks with torchvision's tensor names and constructor arguments.</summary>
public static class VggPretrained
{
    private static readonly (string Name, VggConfig Config)[] Builders =
    [
        ("vgg11", VggConfig.Vgg11), ("vgg13", VggConfig.Vgg13), ("vgg16", VggConfig.Vgg16), ("vgg19", VggConfig.Vgg19),
        ("vgg11_bn", VggConfig.Vgg11BatchNorm), ("vgg13_bn", VggConfig.Vgg13BatchNorm), ("vgg16_bn", VggConfig.Vgg16BatchNorm),
        ("vgg19_bn", VggConfig.Vgg19BatchNorm),
    ];

    private static readonly PretrainedFormat<Vgg, VggConfig> Format = new()
    {
        Names = _ => VisionArguments.Names(),
        Read = Read,
        Write = Write,
        Make = (config, _) => new Vgg(config),
        Layers = config => config.Stages.Count,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            Head = ["classifier.6.*"],
            FewestLabels = 0,
            WithLabels = (config, labels) => config with { Classes = labels },
        },
    };

    extension(Vgg model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of classes if the file's has another number or the file has
        /// none; 0 leaves the head out, and the network returns its features. The model's <c>LoadReport</c> says what is new.
        /// The field <c>architecture</c> of the configuration is a constructor call such as <c>vgg16_bn(num_classes=10)</c>.
        /// Arguments may also be fields of the configuration.
        /// </remarks>
        public static Vgg FromPretrained(string folder, bool mapped = true, string? key = null, int? labels = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static VggConfig Read(ConfigFile file)
    {
        var (name, arguments) = file.Call("architecture", VisionArguments.With("num_classes", "dropout"));
        return VisionArguments.Find(file, name, Builders) with
        {
            Classes = arguments.Classes("num_classes", 1000),
            Dropout = arguments.Number("dropout", 0.5),
        };
    }

    private static JsonObject Write(VggConfig config)
    {
        var name = Builders.FirstOrDefault(builder => builder.Config.BatchNorm == config.BatchNorm
            && builder.Config.Stages.Count == config.Stages.Count
            && builder.Config.Stages.Zip(config.Stages).All(pair => pair.First.SequenceEqual(pair.Second))).Name;
        if (name is null || config.InputChannels != 3 || config.PooledSize != 7 || config.HiddenWidth != 4096
            || config.HiddenWidths is not null)
            throw new ArgumentException(
                $"Stages [{string.Join("], [", config.Stages.Select(stage => string.Join(", ", stage)))}], InputChannels "
                    + $"{config.InputChannels}, "
                + $"PooledSize {config.PooledSize}, HiddenWidth {config.HiddenWidth}: torchvision's networks are "
                    + $"{string.Join(", ", Builders.Select(builder => builder.Name))}; ModelFolder.Save writes any, for this "
                        + "kit alone.");
        return new JsonObject
        {
            ["architecture"] = $"{name}(num_classes={config.Classes})",
            ["num_classes"] = config.Classes,
            ["dropout"] = config.Dropout
        };
    }
}
