using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>
/// Convolution, pooling and fully connected layers from their formulas, number by number, and equal to the fast ones.
/// </summary>
public sealed class ExplainedConvolutionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<int, int, int, int, int, int, int> Convolutions => new()
    {
        // in, out, kernel, stride, padding, dilation, groups
        { 3, 4, 3, 1, 1, 1, 1 },
        { 4, 6, 3, 2, 1, 1, 2 },
        { 4, 4, 2, 2, 0, 1, 4 },
        { 2, 3, 3, 1, 2, 2, 1 },
        { 4, 2, 3, 2, 2, 2, 2 },
        { 5, 2, 1, 1, 0, 1, 1 },
        { 24, 40, 3, 1, 1, 1, 1 },   // widths of GoogLeNet that are no multiple of 16
    };

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void A_convolution_is_the_weighted_sum_over_its_window(int inputs, int outputs, int kernel, int stride, int padding,
        int dilation, int groups)
    {
        using var layer = new Convolution2d(inputs, outputs, kernel, stride, padding, dilation, groups);
        var x = randn(2, inputs, 7, 6);
        var expected = Formula(x, layer, stride, padding, dilation, groups);
        Near.Check("the layer", expected, layer.call(x), 1e-5);
        Near.Check("by columns", expected, ConvolutionKernel.ByColumns(x, layer.Weight, layer.Bias,
            new ConvolutionGeometry([stride, stride], [padding, padding], [dilation, dilation], groups)), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void Gradients_equal_those_of_float64(int inputs, int outputs, int kernel, int stride, int padding, int dilation,
        int groups)
    {
        using var layer = new Convolution2d(inputs, outputs, kernel, stride, padding, dilation, groups);
        var x = randn([2, inputs, 7, 6], requires_grad: true);
        layer.call(x).square().sum().backward();

        // libtorch gives float64 to no other library.
        var (wide, weight) = (x.detach().to(float64).requires_grad_(), layer.Weight.detach().to(float64).requires_grad_());
        nn.functional.conv2d(wide, weight, layer.Bias!.detach().to(float64), [stride, stride], [padding, padding],
            [dilation, dilation], groups)
            .square().sum().backward();
        Near.Check("input", wide.grad!, x.grad!, 1e-3);
        Near.Check("weight", weight.grad!, layer.Weight.grad!, 2e-3);
    }

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void Exact_gradients_are_float64_sums_rounded_once(int inputs, int outputs, int kernel, int stride, int padding,
        int dilation, int groups)
    {
        using var layer = new Convolution2d(inputs, outputs, kernel, stride, padding, dilation, groups);
        var x = randn([2, inputs, 7, 6], requires_grad: true);
        Tensor y;
        Assert.False(Compute.ExactGradients);
        Compute.ExactGradients = true;
        try
        {
            y = layer.call(x);
        }
        finally
        {
            Compute.ExactGradients = false;
        }
        Assert.Equal(ScalarType.Float32, y.dtype);
        var factors = randn(y.shape);
        (y * factors).sum().backward();

        var (wide, weight, bias) = (Wide(x), Wide(layer.Weight), Wide(layer.Bias!));
        var expected = nn.functional.conv2d(wide, weight, bias, [stride, stride], [padding, padding], [dilation, dilation],
            groups);
        (expected * factors).sum().backward();
        Near.Check("the sums", expected.to(float32), y, 0);
        Near.Check("input", wide.grad!.to(float32), x.grad!, 0);
        Near.Check("weight", weight.grad!.to(float32), layer.Weight.grad!, 0);
        Near.Check("bias", bias.grad!.to(float32), layer.Bias!.grad!, 0);
    }

    [SkippableTheory]
    [MemberData(nameof(Convolutions))]
    public void Under_bfloat16_autocast_every_path_gives_bfloat16(int inputs, int outputs, int kernel, int stride, int padding,
        int dilation, int groups)
    {
        Skip.IfNot(Autocast.IsSupported, "This libtorch shows no autocast.");
        using var layer = new Convolution2d(inputs, outputs, kernel, stride, padding, dilation, groups);
        var x = randn([2, inputs, 7, 6], requires_grad: true);
        var expected = nn.functional.conv2d(Rounded(x), Rounded(layer.Weight), Rounded(layer.Bias!), [stride, stride],
            [padding, padding], [dilation, dilation], groups);
        using var kernels = new TestKernels("");
        try
        {
            foreach (var path in new[] { "libtorch's", "columns", "emulated", "columns, emulated", "exact", "exact, emulated" })
            {
                TestKernels.Take(path.Contains("columns", StringComparison.Ordinal)
                    ? "convolution=columns" : "convolution=onednn");
                TestKernels.Take(path.Contains("emulated", StringComparison.Ordinal)
                    ? "bf16-convolution=float32" : "bf16-convolution=libtorch");
                Compute.ExactGradients = path.Contains("exact", StringComparison.Ordinal);
                Tensor y;
                using (new Autocast(DeviceType.CPU, ScalarType.BFloat16)) y = layer.call(x);
                Assert.Equal(ScalarType.BFloat16, y.dtype);
                Near.Check(path, expected, y, expected.abs().max().item<float>() / 64);   // bfloat16 has eight bits
                y.to(float32).sum().backward();
                Assert.Equal([ScalarType.Float32, ScalarType.Float32], [x.grad!.dtype, layer.Weight.grad!.dtype]);
            }
        }
        finally
        {
            Compute.ExactGradients = false;
        }
    }

    [Fact]
    public void A_window_may_be_wider_than_high()
    {
        using var layer = new Convolution2d(2, 3, (1, 5), padding: (0, 2));
        using var turned = new Convolution2d(2, 3, (5, 1), padding: (2, 0));
        var x = randn(1, 2, 4, 6);
        turned.load_state_dict(layer.state_dict()
            .ToDictionary(pair => pair.Key, pair => pair.Key == "weight" ? pair.Value.transpose(2, 3) : pair.Value));
        Near.Check("turned", layer.call(x), turned.call(x.transpose(2, 3)).transpose(2, 3), 1e-5);
    }

    [Fact]
    public void In_eval_mode_batch_norm_is_an_affine_map_of_each_channel()
    {
        using var layer = new BasicConv2d(3, 4, 3, padding: 1);
        using var quiet = no_grad();
        var state = layer.state_dict();
        foreach (var name in new[] { "bn.running_mean", "bn.bias" }) state[name].copy_(randn(4));
        foreach (var name in new[] { "bn.running_var", "bn.weight" }) nn.init.uniform_(state[name], 0.5, 2);
        layer.eval();
        var x = randn(2, 3, 5, 5);
        Tensor PerChannel(string name) => state[name].view(1, 4, 1, 1);
        var convolved = nn.functional.conv2d(x.to(float64), state["conv.weight"].to(float64), padding: [1, 1]).to(float32);
        var line = ((convolved - PerChannel("bn.running_mean")) / (PerChannel("bn.running_var") + 1e-3).sqrt()
            * PerChannel("bn.weight")) + PerChannel("bn.bias");
        Near.Check("relu(line)", line.clamp_min(0), layer.call(x), 1e-5);
        Near.Check("alone in its batch", layer.call(x)[..1], layer.call(x[..1]), 1e-5);
    }

    [Theory]
    [InlineData(2, 2, 0, false)]
    [InlineData(3, 2, 1, false)]
    [InlineData(3, 2, 0, true)]
    public void Max_pooling_takes_the_maximum_of_its_window(int kernel, int stride, int padding, bool ceiling)
    {
        var x = randn(1, 2, 7, 6);
        var fast = nn.functional.max_pool2d(x, kernel, stride, padding, ceil_mode: ceiling);
        var slow = Pool(x, fast.shape, kernel, stride, padding, values => values.Max());
        Near.Check("largest", slow, fast, 0);
    }

    [Theory]
    [InlineData(2, 2, 0)]
    [InlineData(5, 3, 0)]
    [InlineData(3, 1, 1)]
    public void Average_pooling_takes_the_mean_including_the_zero_padding(int kernel, int stride, int padding)
    {
        var x = randn(1, 2, 7, 6);
        var fast = nn.functional.avg_pool2d(x, kernel, stride, padding);
        Near.Check("mean", Pool(x, fast.shape, kernel, stride, padding, values => values.Sum() / (kernel * kernel)), fast, 1e-6);
    }

    [Fact]
    public void A_fully_connected_layer_computes_W_x_plus_b()
    {
        using var layer = nn.Linear(5, 3);
        var x = randn(2, 5);
        var (weight, bias) = (layer.weight!, layer.bias!);
        var expected = zeros(2, 3);
        for (var row = 0; row < 2; row++)
            for (var o = 0; o < 3; o++)
            {
                var sum = bias[o].item<float>();
                for (var i = 0; i < 5; i++) sum += weight[o, i].item<float>() * x[row, i].item<float>();
                expected[row, o] = sum;
            }
        Near.Check("W x + b", expected, layer.call(x), 1e-5);
    }

    [Fact]
    public void Channels_and_groups_that_do_not_fit_are_refused()
    {
        Assert.Contains("3 groups", Assert.Throws<ArgumentException>(() => new Convolution2d(4, 6, 3, groups: 3)).Message,
            StringComparison.Ordinal);
        Assert.Contains("stride 0", Assert.Throws<ArgumentException>(() => new Convolution2d(4, 6, 3, stride: 0)).Message,
            StringComparison.Ordinal);
        using var layer = new Convolution2d(4, 6, 3);
        Assert.Contains("the convolution expects 4",
            Assert.Throws<ArgumentException>(() => layer.call(randn(1, 3, 5, 5))).Message, StringComparison.Ordinal);
        Assert.Contains("[4, 5, 5]", Assert.Throws<ArgumentException>(() => layer.call(randn(4, 5, 5))).Message,
            StringComparison.Ordinal);
    }

    private static Tensor Wide(Tensor x) => x.detach().to(float64).requires_grad_();

    private static Tensor Rounded(Tensor x) => x.detach().to(bfloat16).to(float32);

    /// <summary>
    /// y[b, o, r, c] = bias[o] + Σ over the group's channels and the window of weight · x, zero outside the picture.
    /// </summary>
    private static Tensor Formula(Tensor x, Convolution2d layer, int stride, int padding, int dilation, int groups)
    {
        var (weight, input) = (layer.Weight.detach(), x);
        var (outputs, perGroup, kernel) = ((int)weight.shape[0], (int)weight.shape[1], (int)weight.shape[2]);
        var (w, v, b) = (weight.data<float>().ToArray(), input.data<float>().ToArray(),
            layer.Bias!.detach().data<float>().ToArray());
        int height = (int)x.shape[2], width = (int)x.shape[3], channels = (int)x.shape[1];
        int Length(int size) => ((size + (2 * padding) - (dilation * (kernel - 1)) - 1) / stride) + 1;
        var result = zeros(x.shape[0], outputs, Length(height), Length(width));
        for (var batch = 0; batch < x.shape[0]; batch++)
            for (var o = 0; o < outputs; o++)
                for (var row = 0; row < result.shape[2]; row++)
                    for (var column = 0; column < result.shape[3]; column++)
                    {
                        double sum = b[o];
                        for (var i = 0; i < perGroup; i++)
                            for (var down = 0; down < kernel; down++)
                                for (var across = 0; across < kernel; across++)
                                {
                                    var (r, c) = ((row * stride) - padding + (down * dilation),
                                        (column * stride) - padding + (across * dilation));
                                    if (r < 0 || r >= height || c < 0 || c >= width) continue;
                                    var channel = (o / (outputs / groups) * perGroup) + i;
                                    sum += w[(((o * perGroup) + i) * kernel * kernel) + (down * kernel) + across]
                                        * v[(((batch * channels) + channel) * height * width) + (r * width) + c];
                                }
                        result[batch, o, row, column] = (float)sum;
                    }
        return result;
    }

    private static Tensor Pool(Tensor x, long[] shape, int kernel, int stride, int padding, Func<List<float>, float> reduce)
    {
        var result = zeros(shape);
        for (var channel = 0; channel < shape[1]; channel++)
            for (var row = 0; row < shape[2]; row++)
                for (var column = 0; column < shape[3]; column++)
                {
                    var under = from r in Enumerable.Range((row * stride) - padding, kernel)
                                from c in Enumerable.Range((column * stride) - padding, kernel)
                                where r >= 0 && r < x.shape[2] && c >= 0 && c < x.shape[3]
                                select x[0, channel, r, c].item<float>();
                    result[0, channel, row, column] = reduce([.. under]);
                }
        return result;
    }
}
