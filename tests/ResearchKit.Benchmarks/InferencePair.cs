using ResearchKit.Benchmarks.Onnx;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>A packed model and ONNX Runtime on the same weights and the same input; their results agree.</summary>
internal sealed class InferencePair : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> packed;
    private readonly Tensor input;
    private readonly OnnxModel onnx;

    private InferencePair(nn.Module<Tensor, Tensor> model, Tensor input, Func<byte[]> write)
    {
        this.input = input;
        using var noGrad = no_grad();
        model.eval();
        onnx = new OnnxModel(write(), input);
        packed = model.PackForInference();
        using var result = packed.call(input);
        onnx.MustEqual(result);
        Console.WriteLine($"// {packed.Packing}");
        model.Dispose();
    }

    /// <summary>ResNet, images of 224 × 224.</summary>
    public static InferencePair Of(ResNetConfig config, int images)
    {
        var (model, input) = (new ResNet(config), randn(images, 3, 224, 224));
        return new(model, input, () => new OnnxResNet(model).Write(input));
    }

    /// <summary>VGG, images of 224 × 224.</summary>
    public static InferencePair Of(VggConfig config, int images)
    {
        var (model, input) = (new Vgg(config), randn(images, 3, 224, 224));
        return new(model, input, () => new OnnxVgg(model).Write(input));
    }

    /// <summary>Inception v3, images of 299 × 299.</summary>
    public static InferencePair Of(InceptionV3Config config, int images)
    {
        var (model, input) = (new InceptionV3(config), randn(images, 3, 299, 299));
        return new(model, input, () => new OnnxInceptionV3(model).Write(input));
    }

    /// <summary>BERT up to its last residual stream.</summary>
    public static InferencePair Of(BertConfig config, int texts, int time)
    {
        var (model, input) = (new Bert(config, withPooler: false), randint(0, config.VocabularySize, [texts, time], int64));
        return new(model, input, () => new OnnxBert(model).Write(input));
    }

    /// <summary>One pass of the packed model.</summary>
    public void Packed()
    {
        using var noGrad = no_grad();
        packed.call(input).Dispose();
    }

    /// <summary>One pass of ONNX Runtime.</summary>
    public void OnnxRuntime() => onnx.Run();

    public void Dispose()
    {
        packed.Dispose();
        input.Dispose();
        onnx.Dispose();
    }
}
