using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Convolutions, batch norms and pooling.</summary>
internal static class OnnxConvolutions
{
    /// <summary>A convolution with the geometry of the model's layer of this name.</summary>
    public static string Convolve(this OnnxBuilder make, string x, string name)
    {
        var geometry = make.Module<Convolution2d>(name).Geometry;
        List<string> inputs = [x, make.Weight($"{name}.weight")];
        if (make.Has($"{name}.bias")) inputs.Add(make.Weight($"{name}.bias"));
        return make.Graph.Node("Conv", [.. inputs], ("strides", geometry.Stride), ("dilations", geometry.Dilation),
            ("pads", (long[])[.. geometry.Padding, .. geometry.Padding]), ("group", (int)geometry.Groups));
    }

    public static string BatchNorm(this OnnxBuilder make, string x, string name) => make.Graph.Node("BatchNormalization",
        [x, make.Weight($"{name}.weight"), make.Weight($"{name}.bias"), make.Weight($"{name}.running_mean"),
            make.Weight($"{name}.running_var")], ("epsilon", make.Module<BatchNorm2d>(name).eps));

    /// <summary>Convolution, batch norm and ReLU, as in the Inception networks.</summary>
    public static string Basic(this OnnxBuilder make, string x, string name) =>
        make.Relu(make.BatchNorm(make.Convolve(x, $"{name}.conv"), $"{name}.bn"));

    /// <summary>The largest number of each window.</summary>
    public static string MaxPool(this OnnxBuilder make, string x, int size, int stride, int padding = 0, bool roundsUp = false) =>
        make.Graph.Node("MaxPool", [x], ("kernel_shape", new long[] { size, size }), ("strides", new long[] { stride, stride }),
            ("pads", new long[] { padding, padding, padding, padding }), ("ceil_mode", roundsUp ? 1 : 0));

    /// <summary>The mean of each 3 × 3 window, zeros beyond the edges included.</summary>
    public static string MeanPool(this OnnxBuilder make, string x) =>
        make.Graph.Node("AveragePool", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 1, 1 }),
            ("pads", new long[] { 1, 1, 1, 1 }), ("count_include_pad", 1));

    public static string Join(this OnnxBuilder make, params string[] parts) => make.Graph.Node("Concat", parts, ("axis", 1));

    /// <summary>The mean of each channel, and the logits from it; without a head the means.</summary>
    public static void PooledHead(this OnnxBuilder make, string x, int classes)
    {
        x = make.Graph.Node("Flatten", [make.Graph.Node("GlobalAveragePool", [x])]);
        if (classes == 0) make.Graph.Output(x, "features", "batch", "channels");
        else make.Graph.Output(make.Head(x, "fc.weight", "fc.bias"), "logits", "batch", classes);
    }

    /// <summary>Images of any size.</summary>
    public static string Images(this OnnxBuilder make, int channels) =>
        make.Graph.Input("pixel_values", ScalarType.Float32, "batch", channels, "height", "width");
}
