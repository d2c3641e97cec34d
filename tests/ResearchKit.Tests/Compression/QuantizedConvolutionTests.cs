using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

/// <summary>Convolutions whose weights are codes, against float32 convolutions of the numbers that the codes stand for.</summary>
public sealed class QuantizedConvolutionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("researchkit-tests-");

    public void Dispose()
    {
        scope.Dispose();
        folder.Delete(recursive: true);
    }

    private static readonly QuantizationScheme[] Schemes =
    [
        QuantizationScheme.EightBits, QuantizationScheme.EightBits with { IsSymmetric = false },
        QuantizationScheme.EightBits with { Granularity = ScaleGranularity.Tensor }, QuantizationScheme.FourBits(4),
        QuantizationScheme.Nf4(4), new() { Bits = 5, IsSymmetric = false },
    ];

    private static readonly (int Channels, (int, int) Kernel, ConvolutionGeometry Geometry)[] Shapes =
    [
        (4, (1, 1), new([1, 1], [0, 0], [1, 1], 1)), (8, (3, 3), new([1, 1], [1, 1], [1, 1], 1)),
        (4, (3, 5), new([2, 2], [1, 2], [1, 1], 1)), (4, (1, 1), new([2, 2], [0, 0], [1, 1], 1)),
        (4, (3, 3), new([1, 1], [2, 2], [2, 2], 1)),
    ];

    [Fact]
    public void Unfolded_integers_and_the_float32_convolution_agree_in_every_geometry()
    {
        Compute.Seed(1);
        foreach (var (channels, kernel, geometry) in Shapes)
            foreach (var scheme in Schemes)
            {
                using var inner = NewDisposeScope();
                var weight = randn(6, channels, kernel.Item1, kernel.Item2);
                var (x, bias) = (randn(3, channels, 9, 11), randn(6));
                using var codes = QuantizedTensor.Round(weight.view(6, -1), scheme);
                using var integers = Made(codes, null, weight.shape, geometry, bias, true);
                using var convolved = Made(codes, null, weight.shape, geometry, bias, false);
                var exact = ConvolutionKernel.Convolve(x, codes.Dequantize().view(weight.shape), bias, geometry);
                Near(exact, integers.Convolve(x, null, false, false), 2e-4, $"{scheme}, {geometry}");
                Near(exact, convolved.Convolve(x, null, false, false), 1e-5, $"{scheme}, {geometry}");
                Near((exact + 1).relu(), integers.Convolve(x, ones_like(exact), false, true), 2e-4, "added");
            }
    }

    [Fact]
    public void Inputs_of_8_bits_have_a_scale_for_each_image_or_a_given_one()
    {
        Compute.Seed(2);
        var (weight, geometry) = (randn(5, 4, 3, 3), Shapes[1].Geometry);
        var x = randn(3, 4, 8, 8) * tensor(new[] { 0.1f, 1, 10 }).view(3, 1, 1, 1);
        foreach (var given in new float?[] { null, 0.2f })
        {
            var scheme = given is null ? QuantizationScheme.EightBitsDynamic : QuantizationScheme.EightBitsStatic;
            using var codes = QuantizedTensor.Round(weight.view(5, -1), scheme);
            using var integers = Made(codes, given, weight.shape, geometry, null, true);
            using var convolved = Made(codes, given, weight.shape, geometry, null, false);
            var step = given is { } fixedStep ? full([3, 1, 1, 1], fixedStep) : x.abs().amax([1, 2, 3], keepdim: true) / 127;
            var rounded = (x / step).round().clamp(-127, 127) * step;
            var exact = ConvolutionKernel.Convolve(rounded, codes.Dequantize().view(weight.shape), null, geometry);
            Near(exact, integers.Convolve(x, null, false, false), 1e-5, $"{scheme}");
            Near(exact, convolved.Convolve(x, null, false, false), 1e-5, $"{scheme}");
            using var alone = integers.Convolve(x[1..2], null, false, false);
            Near(exact[1..2], alone, 1e-5, "an image does not depend on the others of its batch");
        }
    }

    [Fact]
    public void A_quantized_network_computes_what_the_simulated_one_does_and_is_saved_and_loaded()
    {
        var images = randn(2, 3, 32, 32);
        using var simulated = Network();
        using var quantized = Network();
        var report = Quantization.Simulate(simulated);
        var made = Quantization.Quantize(quantized);
        Assert.Equal(report.Layers.Select(layer => layer.Name), made.Layers.Select(layer => layer.Name));
        Assert.Contains(report.Layers, layer => layer.Name == "layer1.0.conv1");
        Assert.DoesNotContain(report.Layers, layer => layer.Name == "fc");
        var logits = quantized.call(images);
        Near(simulated.call(images), logits, 1e-3, "simulated");

        var path = Path.Combine(folder.FullName, "model.safetensors");
        QuantizedFiles.Save(quantized, path);
        using var loaded = Network();
        QuantizedFiles.Load(loaded, path);
        Assert.Equal(logits.data<float>().ToArray(), loaded.call(images).data<float>().ToArray());
        Assert.All(loaded.Packing!.Layers.Where(layer => layer.Name.Contains("conv", StringComparison.Ordinal)),
            layer => Assert.Contains("float32", layer.Kernel, StringComparison.Ordinal));
        Assert.Throws<InvalidOperationException>(() => Quantization.Quantize(loaded));
        Assert.Throws<InvalidOperationException>(() => loaded.call(images.alias().requires_grad_()));
    }

    [Fact]
    public void Static_inputs_need_calibration_but_no_second_moments()
    {
        var images = randn(4, 3, 32, 32);
        using var model = Network();
        var plan = new QuantizationPlan { Scheme = QuantizationScheme.EightBitsStatic };
        Refusal.Refuses(() => Quantization.Quantize(model, plan), "conv1: Static 8-bit inputs need calibration");
        var expected = model.call(images);
        using var calibration = Calibration.Watch(model, secondMoments: false);
        model.call(images).Dispose();
        calibration.Stop();
        Assert.All(calibration.Moments.Values, seen => Assert.Equal(0, seen.SecondMoment.numel()));
        Refusal.Refuses(() => Quantization.Quantize(model, plan with { Rounding = new Gptq() }, calibration),
            "second moments");
        var report = Quantization.Quantize(model, plan, calibration);
        Assert.All(report.Layers, layer => Assert.Null(layer.OutputError));
        Assert.True(Distance(expected, model.call(images)) < 0.05);
    }

    [Fact]
    public void Gptq_lowers_the_output_error_of_convolutions()
    {
        var images = randn(8, 3, 32, 32);
        double Error(Rounding rounding)
        {
            using var model = Network();
            using var calibration = Calibration.Watch(model, name => name.StartsWith("layer1.0", StringComparison.Ordinal));
            using (no_grad()) model.call(images).Dispose();
            calibration.Stop();
            var plan = new QuantizationPlan
            {
                Scheme = new() { Bits = 3 },
                Rounding = rounding,
                Overrides = [("layer1.0*", new() { Bits = 3 }), ("*", null)],
            };
            return Quantization.Simulate(model, plan, calibration).Layers.Average(layer => layer.OutputError!.Value);
        }
        var (nearest, better) = (Error(Rounding.Nearest), Error(new Gptq()));
        Assert.True(better < 0.85 * nearest, $"{better} against {nearest}");
    }

    [Fact]
    public void TorchSharps_own_convolutions_are_quantized_in_place()
    {
        Compute.Seed(3);
        using var model = nn.Sequential(nn.Conv2d(3, 8, 3, padding: Padding.Same), nn.ReLU(), nn.Conv2d(8, 8, 3, groups: 8),
            nn.Conv2d(8, 4, (3, 1), stride: (2, 1), padding: (1, 0), bias: false));
        var x = randn(2, 3, 10, 10);
        var expected = model.call(x);
        var report = Quantization.Quantize(model);
        Assert.Equal(["0", "3"], report.Layers.Select(layer => layer.Name));
        Assert.True(Distance(expected, model.call(x)) is > 0 and < 0.02f);
        var one = ((nn.Module<Tensor, Tensor>)model.children().First()).call(x[0]);
        Assert.Equal([8, 10, 10], one.shape);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        var images = randn(2, 3, 32, 32);
        using var model = Network();
        Quantization.Quantize(model);
        model.call(images).Dispose();
        var before = LiveTensors.Count;
        using (var inner = NewDisposeScope()) model.call(images).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    private static ResNet Network()
    {
        Compute.Seed(5);
        var model = new ResNet(new ResNetConfig { Classes = 5, Stem = Stem.Small, Width = 8, Blocks = [1, 1, 1, 1] });
        model.eval();
        return model;
    }

    private static QuantizedConvolution Made(QuantizedTensor codes, float? given, long[] size, ConvolutionGeometry geometry,
        Tensor? bias, bool takesIntegers) => new(codes, given, size, geometry) { Bias = bias, TakesIntegers = takesIntegers };

    private static float Distance(Tensor expected, Tensor made) => ((made - expected).norm() / expected.norm()).item<float>();

    private static void Near(Tensor expected, Tensor made, double tolerance, string place)
    {
        Assert.Equal(expected.shape, made.shape);
        var error = Distance(expected, made);
        Assert.True(error <= tolerance, $"{place}: {error}");
    }
}
