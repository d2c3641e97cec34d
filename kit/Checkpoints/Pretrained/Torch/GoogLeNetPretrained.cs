using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>Loads and saves GoogLeNet with torchvision's tensor names and constructor arguments.</summary>
public static class GoogLeNetPretrained
{
    private static readonly (string Name, GoogLeNetConfig Config)[] Builders = [("googlenet", new()), ("GoogLeNet", new())];

    private static readonly PretrainedFormat<GoogLeNet, GoogLeNetConfig> Format = new()
    {
        Names = config => config.AuxiliaryHeads ? VisionArguments.Names() : VisionArguments.Names("aux1.*", "aux2.*"),
        Read = Read,
        Write = Write,
        Make = (config, _) => new GoogLeNet(config),
        Layers = _ => 1,
        ConfigOf = model => model.Config,
        Changes = new()
        {
            Head = ["fc.*", "aux1.fc2.*", "aux2.fc2.*"],
            FewestLabels = 0,
            WithLabels = (config, labels) => config with
            {
                Classes = labels,
                AuxiliaryHeads = labels > 0 && config.AuxiliaryHeads,
            },
        },
    };

    extension(GoogLeNet model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool, string, System.Nullable{int}, bool)"/>
        /// <remarks>
        /// <paramref name="labels"/> makes a new head for that number of classes if the file's has another number or the file has
        /// none; 0 leaves the head out, and the network returns its features. The model's <c>LoadReport</c> says what is new.
        /// The field <c>architecture</c> of the configuration is a constructor call such as
        /// <c>googlenet(num_classes=10,aux_logits=False)</c>. Arguments may also be fields of the configuration. If the
        /// model is configured without auxiliary heads, those in the file are ignored.
        /// </remarks>
        public static GoogLeNet FromPretrained(string folder, bool mapped = true, string? key = null, int? labels = null,
            bool ignoreMismatched = false) => Format.Load(folder, new LoadOptions(mapped, key)
            {
                Labels = labels,
                IgnoreMismatched = ignoreMismatched,
            });

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }

    private static GoogLeNetConfig Read(ConfigFile file)
    {
        var (name, arguments) = file.Call("architecture",
            VisionArguments.With("num_classes", "aux_logits", "transform_input", "dropout", "dropout_aux"));
        return VisionArguments.Find(file, name, Builders) with
        {
            Classes = arguments.Classes("num_classes", 1000),
            AuxiliaryHeads = arguments.Flag("aux_logits", true),
            TransformInput = arguments.Flag("transform_input", false),
            Dropout = arguments.Number("dropout", 0.2),
            AuxiliaryDropout = arguments.Number("dropout_aux", 0.7),
        };
    }

    private static JsonObject Write(GoogLeNetConfig config)
    {
        OwnWidths.Refuse("GoogLeNet", (config.Channels, nameof(config.Channels)));
        return Fields(config);
    }

    private static JsonObject Fields(GoogLeNetConfig config) =>
        config.InputChannels != 3 || config.Stem != Stem.Standard || config.WidthDivisor != 1
        ? throw new ArgumentException($"InputChannels {config.InputChannels}, Stem {config.Stem}, WidthDivisor "
            + $"{config.WidthDivisor}: torchvision's network supports only 3, {Stem.Standard} and 1; "
            + "use StateDict.Save for this model.")
        : new JsonObject
        {
            ["architecture"] = $"googlenet(num_classes={config.Classes},aux_logits={config.AuxiliaryHeads},"
                + $"transform_input={config.TransformInput})",
            ["num_classes"] = config.Classes,
            ["dropout"] = config.Dropout,
            ["dropout_aux"] = config.AuxiliaryDropout,
        };
}
