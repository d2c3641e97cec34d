using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary><see cref="Vgg"/> and <see cref="ResNet"/> as ONNX graphs.</summary>
internal static class OnnxConvolutional
{
    public static void Add(OnnxBuilder make, VggConfig config)
    {
        var halved = config.Stages.Count;
        var size = make.Options.ImageSize ?? config.PooledSize << halved;
        Require.That(size >> halved >= 1, size, nameof(OnnxOptions.ImageSize), $"at least {1 << halved}");
        var x = make.Graph.Input("pixel_values", ScalarType.Float32, "batch", config.InputChannels, size, size);
        var number = 0;
        foreach (var stage in config.Stages)
        {
            for (var layer = 0; layer < stage.Count; layer++)
            {
                x = make.Convolve(x, $"features.{number++}");
                if (config.BatchNorm) x = make.BatchNorm(x, $"features.{number++}");
                x = make.Relu(x);
                number++;
            }
            x = make.MaxPool(x, 2, 2);
            number++;
        }
        x = make.Graph.Node("Flatten", [Pool(make, x, size >> halved, config.PooledSize)]);
        x = make.Relu(make.Linear(x, "classifier.0"));
        x = make.Relu(make.Linear(x, "classifier.3"));
        if (config.Classes == 0) make.Graph.Output(x, "features", "batch", config.HiddenWidth);
        else make.Graph.Output(make.Head(x, "classifier.6.weight", "classifier.6.bias"), "logits", "batch", config.Classes);
    }

    public static void Add(OnnxBuilder make, ResNetConfig config)
    {
        var x = make.Relu(make.BatchNorm(make.Convolve(make.Images(config.InputChannels), "conv1"), "bn1"));
        if (config.Stem == Stem.Standard) x = make.MaxPool(x, 3, 2, 1);
        for (var stage = 0; stage < config.Blocks.Count; stage++)
            for (var block = 0; block < config.Blocks[stage]; block++) x = Block(make, x, $"layer{stage + 1}.{block}");
        make.PooledHead(x, config.Classes);
    }

    private static string Block(OnnxBuilder make, string x, string name)
    {
        string Step(string x, int number) => make.BatchNorm(make.Convolve(x, $"{name}.conv{number}"), $"{name}.bn{number}");
        var branch = Step(make.Relu(Step(x, 1)), 2);
        if (make.Has($"{name}.conv3.weight")) branch = Step(make.Relu(branch), 3);
        if (make.Has($"{name}.downsample.0.weight"))
            x = make.BatchNorm(make.Convolve(x, $"{name}.downsample.0"), $"{name}.downsample.1");
        return make.Relu(make.Add(branch, x));
    }

    /// <summary>
    /// Averages a map of known size over overlapping windows, as PyTorch's adaptive pooling does: ONNX has no such operation, so
    /// rows and columns are multiplied by matrices of shares.
    /// </summary>
    private static string Pool(OnnxBuilder make, string x, int from, int to)
    {
        if (from == to) return x;
        var shares = make.Graph.Constant("shares of windows", () => Shares(from, to));
        var rows = make.Graph.Node("MatMul", [shares, x]);
        return make.Graph.Node("MatMul", [rows, make.Transpose(shares, 1, 0)]);
    }

    private static Tensor Shares(int from, int to)
    {
        var shares = new float[to, from];
        for (var window = 0; window < to; window++)
        {
            var (start, end) = (window * from / to, (((window + 1) * from) + to - 1) / to);
            for (var place = start; place < end; place++) shares[window, place] = 1f / (end - start);
        }
        return tensor(shares);
    }
}
