using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>Loads and saves Inception v3 with torchvision's tensor names and constructor arguments.</summary>
public static class InceptionV3Pretrained
{
    private static readonly (string Name, InceptionV3Config Config)[] Builders = [("inception_v3", new()), ("Inception3", new())];

    private static readonly PretrainedFormat<InceptionV3, InceptionV3Config> Format = new()
    {
        Names = config => config.AuxiliaryHead ? VisionArguments.Names() : VisionArguments.Names("AuxLogits.*"),
        Read = Read,
        Write = Write,
        Make = (config, _) => new InceptionV3(config),
        Layers = _ => 1,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            Head = ["fc.*", "AuxLogits.fc.*"],
            FewestLabels = 0,
            WithLabels = (config, labels) => config with { Classes = labels, AuxiliaryHead = labels > 0 && config.AuxiliaryHead },
        },
    };

    extension(InceptionV3 model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of classes if the file's has another number or the file has
        /// none; 0 leaves the head out, and the network returns its features. The model's <c>LoadReport</c> says what is new.
        /// The field <c>architecture</c> of the configuration is a constructor call such as
        /// <c>inception_v3(num_classes=10,aux_logits=False)</c>. Arguments may also be fields of the configuration. If
        /// the model is configured without the auxiliary head, that in the file is ignored.
        /// </remarks>
        public static InceptionV3 FromPretrained(string folder, bool mapped = true, string? key = null, int? labels = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static InceptionV3Config Read(ConfigFile file)
    {
        var (name, arguments) = file.Call("architecture",
            VisionArguments.With("num_classes", "aux_logits", "transform_input", "dropout"));
        return VisionArguments.Find(file, name, Builders) with
        {
            Classes = arguments.Classes("num_classes", 1000),
            AuxiliaryHead = arguments.Flag("aux_logits", true),
            TransformInput = arguments.Flag("transform_input", false),
            Dropout = arguments.Number("dropout", 0.5),
        };
    }

    private static JsonObject Write(InceptionV3Config config)
    {
        OwnWidths.Refuse("Inception v3", (config.Channels, nameof(config.Channels)));
        return Fields(config);
    }

    private static JsonObject Fields(InceptionV3Config config) => config.InputChannels != 3 || config.WidthDivisor != 1
        ? throw new ArgumentException($"InputChannels {config.InputChannels}, WidthDivisor {config.WidthDivisor}: "
            + "torchvision's network supports only 3 and 1; use StateDict.Save for this model.")
        : new JsonObject
        {
            ["architecture"] = $"inception_v3(num_classes={config.Classes},aux_logits={config.AuxiliaryHead},"
                + $"transform_input={config.TransformInput})",
            ["num_classes"] = config.Classes,
            ["dropout"] = config.Dropout,
        };
}
