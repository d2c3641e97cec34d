using CsCheck;
using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>The fully-connected layer, with each of the two kernels that it multiplies by.</summary>
public sealed class DenseTests : IDisposable
{
    private const int Rows = 512, Inputs = 300, Outputs = 512;   // enough for oneDNN's kernel
    private readonly TestKernels kernels = new("");

    public void Dispose() => kernels.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_initial_weights_equal_those_of_TorchSharp_Linear(bool hasBias)
    {
        Compute.Seed(3);
        using var linear = nn.Linear(7, 5, hasBias);
        Compute.Seed(3);
        using var dense = new Dense(7, 5, hasBias);
        Assert.Equal(linear.named_parameters().Select(pair => pair.name), dense.named_parameters().Select(pair => pair.name));
        foreach (var ((name, want), (_, got)) in linear.named_parameters().Zip(dense.named_parameters()))
            Near.Check(name, want, got, 0);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Output_and_gradients_equal_the_formula(bool oneDnn, bool hasBias)
    {
        TestKernels.Take(TestKernels.Products(oneDnn));
        using var scope = NewDisposeScope();
        using var dense = new Dense(Inputs, Outputs, hasBias);
        var (x, factors) = (randn([4, Rows / 4, Inputs], requires_grad: true), randn(4, Rows / 4, Outputs));
        var y = dense.call(x);
        (y * factors).sum().backward();

        var (x64, w64) = (x.detach().to(float64), dense.weight.detach().to(float64));
        var g64 = factors.to(float64).view(Rows, Outputs);
        var want = x64.matmul(w64.t());
        if (dense.bias is { } bias) want += bias.detach().to(float64);
        Near.Check("output", want.to(float32), y.detach(), 1e-5);
        Near.Check("input's gradient", g64.mm(w64).to(float32), x.grad!.view(Rows, Inputs), 2e-5);
        Near.Check("weight's gradient", g64.t().mm(x64.view(Rows, Inputs)).to(float32), dense.weight.grad!, 1e-4);
        if (dense.bias is { } shift) Near.Check("bias' gradient", g64.sum([0]).to(float32), shift.grad!, 2e-5);
        Assert.True(dense.weight.grad!.is_contiguous());
    }

    [Fact]
    public void Second_order_gradients_are_the_same_with_both_kernels()
    {
        Tensor OfPenalty(bool oneDnn)
        {
            TestKernels.Take(TestKernels.Products(oneDnn));
            Compute.Seed(5);
            using var scope = NewDisposeScope();
            using var dense = new Dense(Inputs, Outputs);
            var x = randn([Rows, Inputs], requires_grad: true);
            var gradient = autograd.grad([dense.call(x).pow(2).sum()], [x], retain_graph: true, create_graph: true)[0];
            gradient.pow(2).sum().backward();
            return dense.weight.grad!.MoveToOuterDisposeScope();
        }
        using var scope = NewDisposeScope();
        var want = OfPenalty(oneDnn: false);
        Near.Check("penalty's gradient", want / want.abs().max(), OfPenalty(OneDnnLinear.IsThere) / want.abs().max(), 1e-5);
    }

    [Fact]
    public void Matrices_of_any_shape_and_layout_are_multiplied_correctly()
    {
        if (!OneDnnLinear.IsThere) return;   // on x64 it is
        var size = Gen.Int[1, 300];
        static Tensor Matrix(int layout, int rows, int columns) => layout switch
        {
            0 => randn(rows, columns),
            1 => randn(columns, rows).t(),
            2 => randn(1, 1).expand(rows, columns),
            3 => randn(1, columns).expand(rows, columns),
            _ => randn(2 * rows, 3 * columns)[TensorIndex.Slice(step: 2), TensorIndex.Slice(step: 3)],
        };
        Gen.Select(size, size, size, Gen.Int[0, 4], Gen.Int[0, 4], Gen.Bool)
            .Sample((rows, inputs, outputs, layout, layoutOfWeight, hasBias) =>
        {
            using var scope = NewDisposeScope();
            var (x, weight) = (Matrix(layout, rows, inputs), Matrix(layoutOfWeight, outputs, inputs));
            var bias = hasBias ? randn(outputs) : null;
            var want = nn.functional.linear(x.to(float64), weight.to(float64), bias?.to(float64));
            var largest = 1 + want.abs().max();
            Near.Check($"[{rows}, {inputs}] by [{inputs}, {outputs}]", (want / largest).to(float32),
                (OneDnnLinear.Multiply(x, weight, bias) / largest).to(float32), 1e-5);
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void Empty_batches_and_bfloat16_autocast_are_supported()
    {
        TestKernels.Take(TestKernels.Products(oneDnn: true));
        using var scope = NewDisposeScope();
        using var dense = new Dense(Inputs, Outputs);
        Assert.Equal([0, Outputs], dense.call(zeros(0, Inputs)).shape);
        if (!Autocast.IsSupported) return;
        using var mixed = new Autocast(DeviceType.CPU, ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, dense.call(randn(Rows, Inputs)).dtype);
    }

    [Fact]
    public void A_wrong_number_of_channels_is_refused()
    {
        using var scope = NewDisposeScope();
        using var dense = new Dense(3, 2);
        Assert.Contains("expected 3 channels", Assert.Throws<ArgumentException>(() => dense.call(zeros(2, 4))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dense(0, 2));
    }
}
