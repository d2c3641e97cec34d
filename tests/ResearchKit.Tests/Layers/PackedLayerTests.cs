using ResearchKit.Layers;
using ResearchKit.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class PackedLayerTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();

    public void Dispose()
    {
        noGrad.Dispose();
        scope.Dispose();
    }

    /// <summary>Height and width of the window, stride, padding, dilation, groups.</summary>
    public static TheoryData<int, int, int, int, int, int> Windows => new()
    {
        { 1, 1, 1, 0, 1, 1 }, { 3, 3, 1, 1, 1, 1 }, { 5, 7, 1, 2, 1, 1 }, { 7, 7, 2, 3, 1, 1 }, { 3, 3, 1, 2, 2, 1 },
            { 3, 3, 2, 1, 1, 2 }, { 1, 7, 1, 3, 1, 1 }, { 3, 3, 1, 1, 1, 4 },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void A_folded_convolution_equals_convolution_plus_norm(int height, int width, int stride, int padding, int dilation,
        int groups)
    {
        manual_seed(1);
        foreach (var (hasBias, affine) in new[] { (false, true), (true, true), (true, false) })
        {
            using var convolution =
                new Convolution2d(8, 12, (height, width), stride, (padding, padding), dilation, groups, hasBias);
            using var norm = Norm(12, affine);
            convolution.eval();
            var x = randn(2, 8, 15, 17);
            var (weight, bias) = PackedConvolution.Fold(convolution.Weight.to(float64), convolution.Bias?.to(float64), norm);
            var sum = nn.functional.conv2d(x.to(float64), convolution.Weight.to(float64), convolution.Bias?.to(float64),
                [stride, stride], [padding, padding], [dilation, dilation], groups);
            var expected = Normalized(sum, norm);
            var folded = nn.functional.conv2d(x.to(float64), weight, bias, [stride, stride], [padding, padding],
                [dilation, dilation], groups);
            Near(expected, folded, 1e-12);

            var added = randn(expected.shape);
            using var packed = new PackedConvolution(convolution.Weight, convolution.Bias, norm,
                new ConvolutionGeometry([stride, stride], [padding, padding], [dilation, dilation], groups), ScalarType.Float32);
            Near(expected, packed.Convolve(x, null, overwrites: false, relu: false), 1e-5);
            Near(nn.functional.relu(expected + added), packed.Convolve(x, added, overwrites: false, relu: true), 1e-5);
            Near(expected + added,
                packed.Convolve(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), added, overwrites: false, relu: false),
                1e-5);
            foreach (var map in new[] { added.clone(), added.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) })
                Near(nn.functional.relu(expected + added), packed.Convolve(x, map, overwrites: true, relu: true), 1e-5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void Every_kernel_multiplies_correctly(int rows)
    {
        manual_seed(1);
        foreach (var (inputs, outputs) in new[] { (64, 48), (37, 29), (7, 3), (130, 4) })
        {
            var (x, weight, bias) = (randn(rows, inputs), randn(outputs, inputs), randn(outputs));
            foreach (var kernel in OneDnnLinear.IsThere ? new[] { "mkl", "onednn" } : ["mkl"])
            {
                using var kernels = new TestKernels($"packed-1={kernel} packed-4={kernel} packed-256={kernel}");
                using var packed = new PackedLinear(weight, ScalarType.Float32);
                var product = nn.functional.linear(x.to(float64), weight.to(float64));
                Near(product, packed.Multiply(x, null), 1e-5);
                Near(product + bias, packed.Multiply(x, bias), 1e-5);
                Near((product + bias).unsqueeze(0), packed.Multiply(x.unsqueeze(0), bias), 1e-5);
                Near(product, packed.Multiply(x.t().contiguous().t(), null), 1e-5);
                Assert.Equal(kernel == "mkl" ? "libtorch" : "oneDNN, packed", packed.Kernel);
            }
        }
    }

    [Fact]
    public void A_packed_weight_reports_its_kernel_and_its_size_in_bytes()
    {
        using var packed = new PackedLinear(randn(6, 5), ScalarType.Float32);
        Assert.NotEqual("", packed.Kernel);
        Assert.InRange(packed.Bytes, 6 * 5 * 4, 2 * 6 * 5 * 4);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var packed = new PackedLinear(randn(6, 5), ScalarType.Float32);
        Assert.Equal("Got [2, 4]; expected 5 channels on the last axis. (Parameter 'x')",
            Assert.Throws<ArgumentException>(() => packed.Multiply(zeros(2, 4), null)).Message);
        Assert.Equal([0, 6], packed.Multiply(zeros(0, 5), null).shape);
    }

    private static BatchNorm2d Norm(int channels, bool affine)
    {
        var norm = nn.BatchNorm2d(channels, affine: affine);
        norm.eval();
        norm.running_mean!.normal_(0, 0.5);
        norm.running_var!.uniform_(0.2, 2);
        norm.weight?.uniform_(-1.5, 1.5);
        norm.bias?.normal_();
        return norm;
    }

    private static Tensor Normalized(Tensor x, BatchNorm2d norm)
    {
        static Tensor Channels(Tensor perChannel) => perChannel.to(float64).view(1, -1, 1, 1);
        var y = (x - Channels(norm.running_mean!)) / (Channels(norm.running_var!) + norm.eps).sqrt();
        return norm.weight is null ? y : (y * Channels(norm.weight)) + Channels(norm.bias!);
    }

    private static void Near(Tensor expected, Tensor got, double tolerance)
    {
        Assert.Equal(expected.shape, got.shape);
        var (largest, off) = (expected.abs().max().item<double>(), (got.to(float64) - expected).abs().max().item<double>());
        Assert.True(off <= tolerance * largest, $"off by {off}; the largest number is {largest}");
    }
}
