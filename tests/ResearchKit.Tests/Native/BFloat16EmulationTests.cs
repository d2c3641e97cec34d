using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

/// <summary>bfloat16's products by float32, against libtorch's own, which are right on every processor.</summary>
public sealed class BFloat16EmulationTests : IDisposable
{
    private readonly TestKernels kernels = new("");
    private const string Emulated = "bf16-linear=float32 bf16-convolution=float32",
        Libtorchs = "bf16-linear=libtorch bf16-convolution=libtorch";
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        kernels.Dispose();
    }

    private static readonly Dictionary<string, Func<Tensor, Tensor, Tensor>> Products = new()
    {
        ["a layer"] = (a, b) => LinearProduct.Of(a, b.t(), b[0]),
        ["a product of matrices"] = (a, b) => a.MatMul(b),
        ["products of many matrices"] = (a, b) => a.view(2, 12, 16).MatMul(b.unsqueeze(0)),
        ["a convolution"] = (a, b) => ConvolutionKernel.Convolve(a.view(2, 4, 6, 8), b.flatten()[..288].view(8, 4, 3, 3), null,
            new ConvolutionGeometry([1, 1], [1, 1], [1, 1], 1)),
        ["attention"] = (a, b) =>
            ScaledDotProductAttention.Attend(a.view(1, 2, 24, 8), b[..16].view(1, 2, 20, 8), b[..16].view(1, 2, 20, 8) * 2,
            AttentionMask.None),
        ["attention to what came before"] =
            (a, b) => ScaledDotProductAttention.Attend(a.view(1, 2, 24, 8), a.view(1, 2, 24, 8) * 2,
            a.view(1, 2, 24, 8) * b[0, 0], AttentionMask.CausalOnly),
        ["attention with a bias"] = (a, b) =>
            ScaledDotProductAttention.Attend(a.view(1, 2, 24, 8), a.view(1, 2, 24, 8) * 2, a.view(1, 2, 24, 8),
            new AttentionMask { ScoreBias = b.flatten()[..48].view(1, 2, 1, 24) }),
    };

    public static TheoryData<string> Names => [.. Products.Keys];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Results_and_gradients_equal_those_of_bfloat16(string name)
    {
        Skip.IfNot(Autocast.IsSupported, "This libtorch shows no autocast.");
        (Tensor Result, Tensor OfA, Tensor OfB) Take(bool rounded)
        {
            TestKernels.Take(rounded ? Emulated : Libtorchs);
            Compute.Seed(7);
            var (a, b) = (randn([24, 16], requires_grad: true), randn([16, 20], requires_grad: true));
            Tensor y;
            using (new Autocast(DeviceType.CPU, ScalarType.BFloat16)) y = Products[name](a, b);
            Assert.Equal(ScalarType.BFloat16, y.dtype);
            (y.to(float32) * linspace(-1, 1, y.numel()).view(y.shape)).sum().backward();
            return (y.to(float32).detach(), a.grad!, b.grad!);
        }
        var (want, got) = (Take(false), Take(true));
        // bfloat16 has eight bits, and sums of unlike order round to neighbours.
        Near.Check("result", want.Result / want.Result.abs().max(), got.Result / want.Result.abs().max(), 1.0 / 128);
        Near.Check("gradient of the left", want.OfA / want.OfA.abs().max(), got.OfA / want.OfA.abs().max(), 1.0 / 64);
        Near.Check("gradient of the right", want.OfB / want.OfB.abs().max(), got.OfB / want.OfB.abs().max(), 1.0 / 64);
    }

    [SkippableFact]
    public void Emulation_applies_only_under_bfloat16_autocast_and_restores_it()
    {
        Skip.IfNot(Autocast.IsSupported, "This libtorch shows no autocast.");
        TestKernels.Take(Emulated);
        var x = randn(3, 4);
        Assert.False(BFloat16Emulation.Fits(x));
        using (new Autocast(DeviceType.CPU, ScalarType.Float16)) Assert.False(BFloat16Emulation.Fits(x));
        using (new Autocast(DeviceType.CPU, ScalarType.BFloat16))
        {
            Assert.True(BFloat16Emulation.Fits(x));
            Assert.True(BFloat16Emulation.Fits(x.to(bfloat16)));
            Assert.False(BFloat16Emulation.Fits(x.to(float64)));
            Assert.Throws<InvalidOperationException>(() => BFloat16Emulation.Of(x, x, null, (_, _, _) =>
            {
                Assert.Null(Autocast.TypeOn(DeviceType.CPU));
                throw new InvalidOperationException();
            }));
            Assert.Equal(ScalarType.BFloat16, Autocast.TypeOn(DeviceType.CPU));
        }
        Assert.Null(Autocast.TypeOn(DeviceType.CPU));
    }

    [SkippableFact]
    public void A_recurrent_layer_computes_in_float32()
    {
        Skip.IfNot(Autocast.IsSupported, "This libtorch shows no autocast.");
        TestKernels.Take(Emulated);
        var layer = new Lstm(new RecurrentShape { InputWidth = 3, HiddenWidth = 5 });
        var x = randn([2, 7, 3], requires_grad: true);
        var want = layer.call(x.to(bfloat16).to(float32));
        using (new Autocast(DeviceType.CPU, ScalarType.BFloat16)) Near.Check("states", want, layer.call(x.to(bfloat16)), 0);
    }
}
