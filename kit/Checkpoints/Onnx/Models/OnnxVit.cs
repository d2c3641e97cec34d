using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>A <see cref="Vit"/> as an ONNX graph.</summary>
internal static class OnnxVit
{
    public static void Add(OnnxBuilder make, VitConfig config)
    {
        var images = make.Graph.Input("pixel_values", ScalarType.Float32, "batch", config.Channels, config.ImageSize,
            config.ImageSize);
        var x = Embed(make, config, images);
        for (var layer = 0; layer < config.Layers; layer++) x = Layer(make, config, layer, x, $"vit.encoder.layer.{layer}");
        x = make.LayerNorm(x, "vit.layernorm", config.NormEpsilon);
        x = make.Graph.Node("Gather", [x, make.Graph.Constant("first", () => tensor(0L))], ("axis", 1));
        if (config.Classes == 0) make.Graph.Output(x, "features", "batch", config.ModelWidth);
        else make.Graph.Output(make.Head(x, "classifier.weight", "classifier.bias"), "logits", "batch", config.Classes);
    }

    /// <returns>[batch, 1 + patches, channels].</returns>
    private static string Embed(OnnxBuilder make, VitConfig config, string images)
    {
        const string Name = "vit.embeddings", Projection = $"{Name}.patch_embeddings.projection";
        var patches = make.Graph.Node("Conv", [images, make.Weight($"{Projection}.weight"), make.Weight($"{Projection}.bias")],
            ("strides", new long[] { config.PatchSize, config.PatchSize }));
        patches = make.Transpose(make.Reshape(patches, 0, 0, -1), 0, 2, 1);
        var shape = make.Graph.Node("Concat", [make.Size(images, 0), make.Graph.Numbers(1, 1)], ("axis", 0));
        var first = make.Graph.Node("Expand", [make.Weight($"{Name}.cls_token"), shape]);
        var all = make.Graph.Node("Concat", [first, patches], ("axis", 1));
        return make.Add(all, make.Weight($"{Name}.position_embeddings"));
    }

    private static string Layer(OnnxBuilder make, VitConfig config, int layer, string x, string name)
    {
        var read = make.LayerNorm(x, $"{name}.layernorm_before", config.NormEpsilon);
        string Heads(string part) =>
            make.SplitHeads(make.Linear(read, $"{name}.attention.attention.{part}"), config.HeadsOf(layer));
        var mixed = make.Attend(Heads("query"), Heads("key"), Heads("value"),
            1 / Math.Sqrt((double)config.WidthOfHead), null);
        x = make.Add(x, make.Linear(mixed, $"{name}.attention.output.dense"));
        read = make.LayerNorm(x, $"{name}.layernorm_after", config.NormEpsilon);
        var inner = make.Apply(config.Activation, make.Linear(read, $"{name}.intermediate.dense"));
        return make.Add(x, make.Linear(inner, $"{name}.output.dense"));
    }
}
