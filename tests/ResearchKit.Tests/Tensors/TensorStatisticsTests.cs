using CsCheck;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tensors;

public sealed class TensorStatisticsTests
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Int32, ScalarType.Int64, ScalarType.Float16,
            ScalarType.BFloat16,
        ScalarType.Float32, ScalarType.Float64, ScalarType.Bool,
    ];

    private static readonly Gen<(long[] Shape, ScalarType Type, int View, int Seed)> Cases = Gen.Select(
        Gen.Long[1, 40].Array[0, 4], Gen.Int[0, Types.Length - 1].Select(index => Types[index]), Gen.Int[0, 5], Gen.Int[0, 9999],
            (shape, type, view, seed) => (shape, type, view, seed));

    [Fact]
    public void Statistics_agree_with_torch_for_every_shape_dtype_and_view() => Cases.Sample(c =>
    {
        using var scope = NewDisposeScope();
        manual_seed(c.Seed);
        var values = View((randn(c.Shape) * 30).to(c.Type), c.View);
        var made = TensorStatistics.Of(values);
        if (values.numel() == 0) return made.Count == 0 && double.IsNaN(made.Mean);

        var exact = values.to(ScalarType.Float64);
        return made.Count == values.numel()
            && Near(exact.mean().item<double>(), made.Mean, 1e-6 * (1 + exact.abs().max().item<double>()))
            && Near(exact.min().item<double>(), made.Minimum, 0) && Near(exact.max().item<double>(), made.Maximum, 0)
            && (values.numel() < 2 ? double.IsNaN(made.StandardDeviation)
                : Near(exact.std().item<double>(), made.StandardDeviation, 1e-5 * (1 + made.StandardDeviation)))
            && made.Zeros == exact.eq(0).sum().item<long>()
            && (values.numel() > TensorHistogram.SampleSize || made.Histogram.Counts.Sum() == values.numel());
    }, iter: 300, threads: 1);

    [Theory]
    [InlineData(1_000_000f, 0.5f)]   // the mean is far from zero
    [InlineData(0f, 1e-20f)]         // squares of floats would vanish
    [InlineData(0f, 1e30f)]          // squares of floats would overflow
    [InlineData(-3e37f, 1e33f)]      // so would the sum
    public void The_standard_deviation_is_accurate_at_every_scale(float centre, float width)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var values = (randn(700_001) * width) + centre;   // more than one task's segment, and a rest
        var exact = values.to(ScalarType.Float64);
        var made = TensorStatistics.Of(values);
        var deviation = exact.std().item<double>();
        Assert.InRange(made.StandardDeviation, deviation * (1 - 1e-5), deviation * (1 + 1e-5));
        Assert.InRange((made.Mean - exact.mean().item<double>()) / deviation, -1e-4, 1e-4);
    }

    [Fact]
    public void NaN_and_infinity_are_counted_and_left_out()
    {
        using var values = tensor([float.NaN, 1f, float.PositiveInfinity, 3f, float.NegativeInfinity, 0f, float.NaN]);
        var made = TensorStatistics.Of(values);
        Assert.Equal((7, 2, 1, 1, 1, 3),
            (made.Count, made.NaN, made.PositiveInfinity, made.NegativeInfinity, made.Zeros, made.Finite));
        Assert.Equal((4 / 3d, 0, 3), (made.Mean, made.Minimum, made.Maximum));
        Assert.Equal(3, made.Histogram.Counts.Sum());

        using var none = full(5000, double.NaN, ScalarType.Float64);
        var nothing = TensorStatistics.Of(none);
        Assert.Equal(5000, nothing.NaN);
        Assert.True(double.IsNaN(nothing.Mean) && double.IsNaN(nothing.Minimum) && nothing.Histogram.Counts.Count == 0);
    }

    [Fact]
    public void Complex_values_count_by_magnitude_and_quantized_and_sparse_ones_by_value()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(5, TensorStatistics.Of(complex(full([2], 3f), full([2], 4f))).Mean, 6);
        Assert.Equal(5, TensorStatistics.Of(complex(full([2], 3f), full([2], 4f)).conj()).Mean, 6);
        Assert.Equal(-4, TensorStatistics.Of(complex(full([2], 3f), full([2], 4f)).conj().imag).Mean, 6);
        Assert.Equal((0.1, 20),
            (Math.Round(TensorStatistics.Of(eye(10).to_sparse()).Mean, 6), TensorStatistics.Of(eye(20).to_sparse()).Count - 380));
        Assert.Equal(1.5, TensorStatistics.Of(quantize_per_tensor(full([4], 1.5f), 0.5, 3, ScalarType.QInt8)).Mean, 6);
    }

    [Fact]
    public void The_histogram_samples_every_column_of_a_large_matrix()
    {
        using var scope = NewDisposeScope();
        // each column another value, and rows that share memory
        var values = arange(1024, ScalarType.Float32).expand(4096, 1024);
        var counts = TensorStatistics.Of(values).Histogram.Counts;
        Assert.InRange(counts.Sum(), 32_000, TensorHistogram.SampleSize);
        Assert.InRange(counts.Max() / (double)counts.Min(), 1, 1.2);
    }

    [Fact]
    public void Meta_and_disposed_tensors_are_refused()
    {
        using var meta = empty(3, 4, device: new Device(DeviceType.META));
        Assert.Contains("meta device", Assert.Throws<ArgumentException>(() => TensorStatistics.Of(meta)).Message,
            StringComparison.Ordinal);
        var gone = zeros(2);
        gone.Dispose();
        Assert.Contains("disposed", Assert.Throws<ArgumentException>(() => TensorStatistics.Of(gone)).Message,
            StringComparison.Ordinal);
        using var none = zeros(0, 3);
        Assert.Equal(0, TensorStatistics.Of(none).Count);
    }

    [Fact]
    public void Measuring_leaks_no_tensor_and_keeps_the_gradient_mode()
    {
        using var values = randn(300, 70, requires_grad: true);
        using var view = values.t();
        var before = LiveTensors.Count;
        _ = TensorStatistics.Of(view);
        _ = TensorStatistics.Of(values);
        Assert.Equal(before, LiveTensors.Count);
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void The_text_has_count_mean_deviation_and_range() =>
        Assert.Equal("4 elements · mean 2.5 · deviation 1.291 · 1 … 4", TensorStatistics.Of(tensor([1f, 2f, 3f, 4f])).ToString());

    private static Tensor View(Tensor values, int view) => (view, values.dim()) switch
    {
        (1, > 1) => values.transpose(0, -1),
        (2, > 0) => values.slice(-1, 0, values.size(-1), 2),
        (3, > 1) => values.slice(0, 1, values.size(0), 1).transpose(0, 1),
        (4, _) => values.unsqueeze(0).expand([3, .. values.shape]),
        (5, > 0) => values.flip(-1),
        _ => values,
    };

    private static bool Near(double expected, double actual, double tolerance) => Math.Abs(expected - actual) <= tolerance;
}
