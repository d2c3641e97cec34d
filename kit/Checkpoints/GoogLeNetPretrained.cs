using System.Text.Json.Nodes;
using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>GoogLeNet with torchvision's names and arguments.</summary>
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
    };

    extension(GoogLeNet model)
    {
        /// <summary>A network in evaluation mode, from a folder with <c>config.json</c> and weights by the published names.</summary>
        /// <remarks>The configuration's <c>architecture</c> is a call such as <c>googlenet(num_classes=10,aux_logits=False)</c>; without auxiliary heads those of the file are ignored; arguments may also be fields of their own.</remarks>
        /// <param name="folder">Where they are.</param>
        /// <param name="mapped">True puts float32 parameters on the pages of the file, as in <see cref="GptPretrained"/>; false reads all into memory at once.</param>
        /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
        /// <exception cref="FileNotFoundException">It has no configuration or no weights.</exception>
        /// <exception cref="InvalidDataException">Its files are damaged, describe another architecture, or do not fit each other; says how.</exception>
        public static GoogLeNet FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <summary>Writes <c>config.json</c> with the constructor's arguments and <c>model.safetensors</c> with the published names.</summary>
        /// <param name="folder">Where to; is made if it is not there.</param>
        /// <param name="maximumShardBytes">Most bytes of tensors in one file; more make several, with an index.</param>
        /// <exception cref="ArgumentException">It is of a shape that the reference does not have.</exception>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }

    private static GoogLeNetConfig Read(ConfigFile file)
    {
        var (name, arguments) = file.Call("architecture", VisionArguments.With("num_classes", "aux_logits", "transform_input", "dropout", "dropout_aux"));
        return VisionArguments.Find(file, name, Builders) with
        {
            Classes = arguments.Size("num_classes", 1000),
            AuxiliaryHeads = arguments.Flag("aux_logits", true),
            TransformInput = arguments.Flag("transform_input", false),
            Dropout = arguments.Number("dropout", 0.2),
            AuxiliaryDropout = arguments.Number("dropout_aux", 0.7),
        };
    }

    private static JsonObject Write(GoogLeNetConfig config) => config.InputChannels != 3 || config.Stem != Stem.Standard || config.WidthDivisor != 1
        ? throw new ArgumentException($"InputChannels {config.InputChannels}, Stem {config.Stem}, WidthDivisor {config.WidthDivisor}: torchvision's network has 3, {Stem.Standard} and 1; StateDict.Save writes any.")
        : new JsonObject
        {
            ["architecture"] = $"googlenet(num_classes={config.Classes},aux_logits={config.AuxiliaryHeads},transform_input={config.TransformInput})",
            ["num_classes"] = config.Classes,
            ["dropout"] = config.Dropout,
            ["dropout_aux"] = config.AuxiliaryDropout,
        };
}
