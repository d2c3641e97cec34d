using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

/// <summary>What a step of one token is made of, against libtorch.</summary>
public sealed unsafe class RowWeightTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();

    public RowWeightTests() => manual_seed(1);

    public void Dispose()
    {
        noGrad.Dispose();
        scope.Dispose();
    }

    [SkippableTheory]
    [InlineData(1, 2)]
    [InlineData(7, 33)]
    [InlineData(50, 24)]
    [InlineData(96, 64)]
    [InlineData(131, 515)]
    public void A_row_times_floats_is_the_exact_product(int outputs, int inputs)
    {
        Skip.IfNot(IntegerSums.IsSupported);
        var (x, weight) = (randn(1, inputs), randn(outputs, inputs));
        var exact = x.to(float64).mm(weight.to(float64).t());
        Near(new PlainRowWeight(weight).Multiply(x), exact, 1e-6);
        if (OneDnnLinear.Pack(weight) is { } packed && PanelRowWeight.Of(packed, outputs, inputs) is { } panels)
            Near(panels.Multiply(x), exact, 1e-6);
    }

    [SkippableFact]
    public void A_row_times_codes_has_the_bits_of_the_layer()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        var (x, bias) = (randn(1, 96), randn(37));
        foreach (var scheme in Schemes())
        {
            using var codes = QuantizedTensor.Round(randn(37, 96), scheme);
            using var weight = new QuantizedWeight(codes, null);
            if (weight.ForOneRow() is not { } row) continue;
            row.Locate();
            var room = new StepRoom(1, 96, 1, 1);
            var y = zeros(37);
            for (var thread = 0; thread < 3; thread++)
                row.Multiply((float*)NativeTensors.Data(x), (float*)NativeTensors.Data(bias), (float*)NativeTensors.Data(y), room,
                    thread, 3);
            Assert.True(y.Equals(weight.Multiply(x, bias)[0]), $"{scheme}");
        }
    }

    [SkippableFact]
    public void A_row_of_a_table_of_codes_has_the_bits_of_the_lookup()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        var parameter = empty(37, 96);
        foreach (var scheme in Schemes())
        {
            using var codes = QuantizedTensor.Round(randn(37, 96), scheme);
            using var weight = new QuantizedWeight(codes, null);
            if (weight.ForOneToken(parameter) is not { IsReadable: true } table) continue;
            table.Locate();
            var y = zeros(96);
            foreach (var row in new[] { 0, 5, 13, 36 })
            {
                table.Read(row, (float*)NativeTensors.Data(y));
                Assert.True(y.Equals(codes.Dequantize()[row]), $"{scheme}, row {row}");
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(77)]
    public void Norms_are_libtorchs(int width)
    {
        var (x, weight, bias, y) = (randn(width) + 3, randn(width), randn(width), zeros(width));
        RowMath.LayerNorm(At(x), At(weight), At(bias), 1e-5f, At(y), width);
        Near(y, nn.functional.layer_norm(x, [width], weight, bias, 1e-5), 1e-6);
        RowMath.RmsNorm(At(x), At(weight), 1e-6f, At(y), width);
        Near(y, x * (x.square().mean() + 1e-6).rsqrt() * weight, 1e-6);
    }

    [Fact]
    public void Activations_are_libtorchs()
    {
        foreach (var activation in Enum.GetValues<Activation>().Where(StepActivation.Has))
        {
            var (x, factor) = (linspace(-30, 30, 203), randn(203));
            var expected = activation.Apply(x) * factor;
            StepActivation.Apply(activation, At(x), At(factor), 203);
            Near(x, expected, 1e-6);
        }
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(19, 64)]
    [InlineData(40, 37)]
    public void Attention_of_one_query_is_the_softmax_of_its_scores(int time, int width)
    {
        var (query, keys, values) = (randn(width) * 4, randn(time, width), randn(time, width));
        var z = zeros(width);
        RowAttention.Attend(At(query), At(keys), At(values), time, width, At(zeros(time)), At(z));
        Near(z, (keys.mv(query) / Math.Sqrt(width)).softmax(0).unsqueeze(0).mm(values)[0], 2e-6);
    }

    [Fact]
    public void No_thread_passes_the_barrier_before_all_have_come()
    {
        const int threads = 3, rounds = 200;
        var barrier = new StepBarrier();
        var (arrived, early) = (0, 0);
        var team = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            for (var round = 1; round <= rounds; round++)
            {
                Interlocked.Increment(ref arrived);
                barrier.Wait(threads);
                if (Volatile.Read(ref arrived) < round * threads) Interlocked.Increment(ref early);
                barrier.Wait(threads);
            }
        })).ToList();
        team.ForEach(thread => thread.Start());
        team.ForEach(thread => thread.Join());
        Assert.Equal(0, early);
    }

    private static float* At(Tensor tensor) => (float*)NativeTensors.Data(tensor);

    private static QuantizationScheme[] Schemes() =>
        [QuantizationScheme.EightBits, QuantizationScheme.EightBitsDynamic, QuantizationScheme.FourBits(),
            QuantizationScheme.FourBits(symmetric: true), QuantizationScheme.Nf4(32)];

    private static void Near(Tensor actual, Tensor expected, double tolerance) =>
        Assert.InRange(((actual - expected).to(float64).abs().max() / expected.abs().max()).item<double>(), 0, tolerance);
}
