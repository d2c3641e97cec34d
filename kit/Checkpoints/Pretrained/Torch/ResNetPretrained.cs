using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Loads and saves residual networks with torchvision's tensor names and constructor arguments.
/// </summary>
public static class ResNetPretrained
{
    private static readonly (string Name, ResNetConfig Config)[] Builders =
    [
        ("resnet18", ResNetConfig.ResNet18), ("resnet34", ResNetConfig.ResNet34), ("resnet50", ResNetConfig.ResNet50),
        ("resnet101", ResNetConfig.ResNet101), ("resnet152", ResNetConfig.ResNet152), ("resnext50_32x4d", ResNetConfig.ResNeXt50),
        ("resnext101_32x8d", ResNetConfig.ResNeXt101),
        ("resnext101_64x4d", ResNetConfig.ResNeXt101 with { Groups = 64, WidthPerGroup = 4 }),
        ("wide_resnet50_2", ResNetConfig.WideResNet50), ("wide_resnet101_2", ResNetConfig.WideResNet101),
    ];

    private static readonly PretrainedFormat<ResNet, ResNetConfig> Format = new()
    {
        Names = _ => VisionArguments.Names(),
        Read = Read,
        Write = Write,
        Make = (config, _) => new ResNet(config),
        Layers = config => (int)Math.Min(int.MaxValue, config.Blocks.Sum(count => (long)count)),
        ConfigOf = model => model.Config,
        Changes = new()
        {
            Head = ["fc.*"],
            FewestLabels = 0,
            WithLabels = (config, labels) => config with { Classes = labels },
        },
    };

    extension(ResNet model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of classes if the file's has another number or the file has
        /// none; 0 leaves the head out, and the network returns its features. The model's <c>LoadReport</c> says what is new.
        /// The field <c>architecture</c> of the configuration is a constructor call such as <c>resnet18(num_classes=10)</c> or
        /// <c>ResNet(Bottleneck,[3,4,6,3],groups=32,width_per_group=4)</c>. Arguments may also be fields of the configuration.
        /// </remarks>
        public static ResNet FromPretrained(string folder, bool mapped = true, string? key = null, int? labels = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static ResNetConfig Read(ConfigFile file)
    {
        var named = file.Call("architecture", VisionArguments.With(
            "block", "layers", "num_classes", "zero_init_residual", "groups", "width_per_group", "replace_stride_with_dilation"));
        var arguments = named.Arguments;
        var config = named.Name == "ResNet" ? Own(arguments) : VisionArguments.Find(file, named.Name, Builders, "ResNet");
        return config with
        {
            Classes = arguments.Classes("num_classes", 1000),
            ZeroInitialBranches = arguments.Flag("zero_init_residual", false),
            Groups = arguments.Size("groups", config.Groups),
            WidthPerGroup = arguments.Size("width_per_group", config.WidthPerGroup),
            DilateInsteadOfStride = arguments.FlagsOrNull("replace_stride_with_dilation") ?? config.DilateInsteadOfStride,
        };
    }

    private static ResNetConfig Own(ConfigFile arguments) => new()
    {
        Block = arguments.Text("block", "") switch
        {
            "BasicBlock" => ResidualBlock.Basic,
            "Bottleneck" => ResidualBlock.Bottleneck,
            _ => throw arguments.Bad("block", "BasicBlock or Bottleneck"),
        },
        Blocks = arguments.SizesOrNull("layers") ?? throw arguments.Bad("layers", "the number of blocks of each of the "
            + "four stages"),
    };

    private static JsonObject Write(ResNetConfig config)
    {
        OwnWidths.Refuse("ResNet", (config.Channels, nameof(config.Channels)));
        if (config.InputChannels != 3 || config.Stem != Stem.Standard || config.Width != 64)
            throw new ArgumentException($"InputChannels {config.InputChannels}, Stem {config.Stem}, Width {config.Width}: "
                + $"torchvision's networks support only 3, {Stem.Standard} and 64; use StateDict.Save for this model.");
        var name = Builders.FirstOrDefault(builder => builder.Config.Block == config.Block
            && builder.Config.Blocks.SequenceEqual(config.Blocks)
            && builder.Config.Groups == config.Groups && builder.Config.WidthPerGroup == config.WidthPerGroup).Name;
        var start = name is not null ? $"{name}("
            : $"ResNet({(config.Block == ResidualBlock.Basic ? "BasicBlock" : "Bottleneck")},"
                + $"[{string.Join(",", config.Blocks)}],";
        var groups = name is null ? $",groups={config.Groups},width_per_group={config.WidthPerGroup}" : "";
        var json = new JsonObject
        {
            ["architecture"] = $"{start}num_classes={config.Classes}{groups})",
            ["num_classes"] = config.Classes,
        };
        if (config.ZeroInitialBranches) json["zero_init_residual"] = true;
        if (config.DilateInsteadOfStride.Any(dilate => dilate))
            json["replace_stride_with_dilation"] =
                new JsonArray([.. config.DilateInsteadOfStride.Select(dilate => JsonValue.Create(dilate))]);
        return json;
    }
}
