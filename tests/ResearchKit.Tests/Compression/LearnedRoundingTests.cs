using ResearchKit.Compression;
using ResearchKit.Tensors;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class LearnedRoundingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void AutoRound_is_better_than_rounding_to_nearest_on_the_calibration_data(int seed)
    {
        using var golden = new CompressionGolden("quantization", seed);
        using var moments = golden.Moments();
        foreach (var scheme in new[] { QuantizationScheme.FourBits(), QuantizationScheme.FourBits(32, symmetric: true),
            new QuantizationScheme { Bits = 3, IsSymmetric = false } })
        {
            double Error(Rounding rounding)
            {
                using var made = rounding.Quantize(golden.Weight, scheme, moments);
                return golden.OutputError(made.Dequantize());
            }
            var nearest = Error(Rounding.Nearest);
            Assert.InRange(Error(new AutoRound { Steps = 100 }), 0, 0.96 * nearest);
            Assert.InRange(Error(new AutoRound { Steps = 100, LearnsRange = false }), 0, 0.96 * nearest);
        }
    }

    [Fact]
    public void AutoRound_of_inputs_that_do_not_correlate_is_rounding_to_nearest()
    {
        var weight = randn([12, 32], generator: new Generator(1));
        using var moments = new InputMoments(32);
        moments.Add(eye(32));
        var method = new AutoRound { Steps = 10, LearnsRange = false };
        foreach (var scheme in new[] { QuantizationScheme.FourBits(8), QuantizationScheme.EightBits })
        {
            using var made = method.Quantize(weight, scheme, moments);
            using var nearest = Rounding.Nearest.Quantize(weight, scheme);
            Assert.True(made.Codes.Equals(nearest.Codes));
            Assert.True(made.Scales.Equals(nearest.Scales));
        }
    }

    [Fact]
    public void Hqq_has_a_smaller_absolute_error_than_rounding_to_nearest()
    {
        var weight = randn([16, 64], generator: new Generator(2)).pow(3);
        foreach (var bits in new[] { 2, 3, 4 })
        {
            var scheme = new QuantizationScheme
            {
                Bits = bits,
                Granularity = ScaleGranularity.Group,
                GroupSize = 16,
                IsSymmetric = false,
            };
            double Error(Rounding rounding)
            {
                using var made = rounding.Quantize(weight, scheme);
                return (made.Dequantize() - weight).abs().mean().item<float>();
            }
            var nearest = Error(Rounding.Nearest);
            Assert.InRange(Error(new Hqq()), 0, 0.999 * nearest);
            Assert.InRange(Error(new Hqq { RoundsZeroPoints = true }), 0, nearest);
        }
    }

    [Fact]
    public void Fractional_zero_points_are_numbers_of_16_bits()
    {
        using var made = new Hqq().Quantize(randn([4, 64], generator: new Generator(3)), QuantizationScheme.FourBits(32));
        Assert.Equal(ScalarType.Float32, made.ZeroPoints!.dtype);
        Assert.Equal(4 + (32.0 / 32), made.BitsPerWeight, 1e-9);
        using var whole = new Hqq { RoundsZeroPoints = true }.Quantize(randn([4, 64]), QuantizationScheme.FourBits(32));
        Assert.Equal(ScalarType.Byte, whole.ZeroPoints!.dtype);
    }

    [Fact]
    public void Shrinkage_steps_of_hqq_are_those_of_the_paper()
    {
        // one group, one step by hand: 2 bits, numbers 0, .9, 1.9, 2.1, 3.6; scale 1.2, zero point 0
        var weight = tensor(new float[,] { { 0, 0.9f, 1.9f, 2.1f, 3.6f } });
        var scheme = new QuantizationScheme { Bits = 2, IsSymmetric = false };
        using var made = new Hqq { Steps = 1, Norm = 1, Penalty = 10 }.Quantize(weight, scheme);
        // codes 0, 1, 2, 2, 3; errors 0, −.3, −.5, −.3, 0; shrunk by .1: 0, −.2, −.4, −.2, 0
        // zero point: mean of code − (number − shrunk) / 1.2 = mean of 0, 1 − 1.1/1.2, 2 − 2.3/1.2, 2 − 2.3/1.2, 0
        Assert.Equal((1 - (1.1 / 1.2) + (2 * (2 - (2.3 / 1.2)))) / 5, made.ZeroPoints!.item<float>(), 1e-6);
    }

    [Fact]
    public void Tensors_of_a_search_are_freed()
    {
        var weight = randn([8, 32]);
        using var moments = new InputMoments(32);
        moments.Add(randn([64, 32]));
        Rounding[] methods = [new Hqq(), new AutoRound { Steps = 3 }, new Gptq()];
        foreach (var method in methods) method.Quantize(weight, QuantizationScheme.FourBits(), moments).Dispose();
        var before = LiveTensors.Count;
        foreach (var method in methods) method.Quantize(weight, QuantizationScheme.FourBits(), moments).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Settings_and_schemes_that_do_not_fit_are_refused()
    {
        var weight = randn([4, 32]);
        using var moments = new InputMoments(32);
        moments.Add(randn([3, 32]));
        Refuses(() => new Hqq().Quantize(weight, QuantizationScheme.EightBits), "zero points", "symmetric");
        Refuses(() => new Hqq { Norm = 1.5 }.Quantize(weight, QuantizationScheme.FourBits()), "Norm is 1.5");
        Refuses(() => new AutoRound().Quantize(weight, QuantizationScheme.Nf4(32), moments), "code book");
        Refuses(() => new AutoRound().Quantize(weight, QuantizationScheme.FourBits()), "calibrate");
        Refuses(() => new AutoRound { Steps = 0 }.Quantize(weight, QuantizationScheme.FourBits(), moments), "Steps is 0");
        Refuses(() => new AutoRound().Quantize(weight, QuantizationScheme.FourBits(), moments), "3 rows", "at least 4");
    }
}
