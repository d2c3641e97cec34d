using BenchmarkDotNet.Attributes;
using ResearchKit.Benchmarks.Onnx;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// ResNet-50 reads 4 pictures of 224 × 224: ONNX Runtime, the kit on the same weights, and the kit in bfloat16 and with the channels last in memory.
/// </summary>
/// <remarks>
/// ONNX Runtime folds the batch norms into the convolutions; the results must agree before anything is timed. Where a virtual
/// machine hides the sizes of its caches, the kit lays out windows as columns instead of calling oneDNN, which is wrong there, and
/// these times are of that path.
/// </remarks>
[WarmupCount(1)]
[IterationCount(6)]
public class ResNetInference
{
    private readonly Tensor pictures = randn(4, 3, 224, 224);
    private readonly Dictionary<(ScalarType, bool), (ResNet Model, Tensor Pictures)> variants = [];
    private OnnxModel onnx = null!;

    [GlobalSetup]
    public void Setup()
    {
        using var noGrad = no_grad();
        foreach (var dtype in new[] { float32, bfloat16 })
            foreach (var channelsLast in new[] { false, true })
                variants[(dtype, channelsLast)] = (new ResNet(ResNetConfig.ResNet50), Laid(pictures.to(dtype), channelsLast));
        var (plain, _) = variants[(float32, false)];
        foreach (var ((dtype, channelsLast), (model, _)) in variants)
        {
            model.load_state_dict(plain.state_dict());
            model.to(dtype).eval();
            foreach (var parameter in model.parameters()) parameter.set_(Laid(parameter, channelsLast));
        }
        onnx = new OnnxModel(new OnnxResNet(plain).Write(pictures), pictures);
        using var expected = plain.call(pictures);
        onnx.MustEqual(expected);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        onnx.Dispose();
        foreach (var (model, input) in variants.Values)
        {
            model.Dispose();
            input.Dispose();
        }
    }

    [Benchmark(Baseline = true)]
    public float[] OnnxRuntime() => onnx.Run();

    [Benchmark]
    public void Kit() => Read(float32, channelsLast: false);

    [Benchmark]
    public void KitChannelsLast() => Read(float32, channelsLast: true);

    [Benchmark]
    public void KitBfloat16() => Read(bfloat16, channelsLast: false);

    [Benchmark]
    public void KitBfloat16ChannelsLast() => Read(bfloat16, channelsLast: true);

    /// <summary>The same picture or weight with its channels last in memory.</summary>
    private static Tensor Laid(Tensor x, bool channelsLast) =>
        channelsLast && x.dim() == 4 ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x;

    private void Read(ScalarType dtype, bool channelsLast)
    {
        using var noGrad = no_grad();
        var (model, input) = variants[(dtype, channelsLast)];
        model.call(input).Dispose();
    }
}
