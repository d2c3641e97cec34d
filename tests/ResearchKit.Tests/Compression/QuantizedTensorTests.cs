using CsCheck;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class QuantizedTensorTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    private static readonly QuantizationScheme Affine8 = new() { IsSymmetric = false };

    public static TheoryData<int, string> Golden
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var seed in new[] { 701, 702 })
                foreach (var name in Schemes.Keys) data.Add(seed, name);
            return data;
        }
    }

    private static Dictionary<string, QuantizationScheme> Schemes { get; } = new()
    {
        ["int8_per_tensor_sym"] = QuantizationScheme.EightBits with { Granularity = ScaleGranularity.Tensor },
        ["int8_per_tensor_affine"] = Affine8 with { Granularity = ScaleGranularity.Tensor },
        ["int8_per_channel_sym"] = QuantizationScheme.EightBits,
        ["int8_per_channel_affine"] = Affine8,
        ["int4_group32_sym"] = QuantizationScheme.FourBits(32, symmetric: true),
        ["int4_group32_affine"] = QuantizationScheme.FourBits(),
    };

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Golden))]
    public void Codes_and_scales_equal_the_reference(int seed, string name)
    {
        using var golden = new CompressionGolden("quantization", seed);
        using var made = QuantizedTensor.Round(golden.Weight, Schemes[name]);
        Near.Check("scales", golden[$"{name}/scale"].flatten(), made.Scales.flatten(), 1e-8);
        // PyTorch's qint8 begins at -128 where an affine scheme here begins at 0
        var shift = name.StartsWith("int8", StringComparison.Ordinal) && made.ZeroPoints is not null ? 128 : 0;
        var difference = made.Codes.to(int32) - shift - golden[$"{name}/int"].to(int32);
        Assert.True(difference.abs().max().item<int>() <= 1);
        Assert.True(difference.abs().sum().item<long>() <= difference.numel() / 1000);   // ties of a rounded reciprocal
        var tolerance = made.Scales.max().item<float>() * (difference.abs().sum().item<long>() > 0 ? 1.01 : 2e-5);
        Near.Check("numbers", golden[$"{name}/dequant"], made.Dequantize(), tolerance);
    }

    [Theory]
    [InlineData(701, 64)]
    [InlineData(701, 32)]
    [InlineData(702, 64)]
    [InlineData(702, 32)]
    public void Normal_floats_equal_the_reference(int seed, int block)
    {
        using var golden = new CompressionGolden("quantization", seed);
        using var made = QuantizedTensor.Round(golden.Weight, QuantizationScheme.Nf4(block));
        Assert.True(golden["nf4_codebook"].Equals(tensor((float[])[.. CodeBook.Nf4.Values])));
        Assert.True(golden[$"nf4_block{block}/code"].Equals(made.Codes));
        Assert.True(golden[$"nf4_block{block}/packed"].Equals(made.PackNibbles()));
        Near.Check("numbers", golden[$"nf4_block{block}/dequant"], made.Dequantize(), 1e-6);
    }

    [Fact]
    public void An_error_is_at_most_half_a_step_and_zero_is_exact() => Sample((weight, scheme) =>
    {
        if (scheme.CodeBook is not null || scheme.UsesFullRange) return;   // the largest magnitude lies beyond the last code
        using var made = QuantizedTensor.Round(weight, scheme);
        var groups = (weight - made.Dequantize()).abs().view(made.Codes.shape[0], scheme.GroupsOf(made.Codes.shape[1]), -1);
        Assert.True((groups <= (made.Scales.unsqueeze(-1) * 0.50001) + 1e-7).all().item<bool>());
        weight.select(1, 0).zero_();
        using var again = QuantizedTensor.Round(weight, scheme);
        Assert.Equal(0, again.Dequantize().select(1, 0).abs().sum().item<float>());
    });

    [Fact]
    public void Quantizing_a_quantized_weight_with_the_same_grid_changes_nothing() => Sample((weight, scheme) =>
    {
        using var once = QuantizedTensor.Round(weight, scheme);
        var groups = QuantizedTensor.Groups(once.Dequantize(), scheme);
        using var twice = QuantizedTensor.Round(weight, groups,
            new QuantizationGrid(scheme, once.Scales.unsqueeze(-1), once.ZeroPoints?.to(float32).unsqueeze(-1)));
        Assert.True(once.Codes.Equals(twice.Codes));
    });

    [Fact]
    public void Scaling_a_weight_by_a_power_of_two_scales_its_scales_and_keeps_its_codes() => Sample((weight, scheme) =>
    {
        using var made = QuantizedTensor.Round(weight, scheme);
        using var larger = QuantizedTensor.Round(weight * 8, scheme);
        Assert.True(made.Codes.Equals(larger.Codes));
        Assert.True((made.Scales * 8).Equals(larger.Scales));
    });

    [Fact]
    public void Scaling_a_weight_scales_its_scales_and_moves_codes_only_across_ties() => Sample((weight, scheme) =>
    {
        using var made = QuantizedTensor.Round(weight, scheme);
        using var larger = QuantizedTensor.Round(weight * 3.7, scheme);
        Assert.True(allclose(made.Scales * 3.7, larger.Scales, rtol: 1e-6, atol: 0));
        var moved = (made.Codes.to(int32) - larger.Codes.to(int32)).abs();
        Assert.True(moved.max().item<int>() <= 1 && moved.sum().item<long>() <= 6);   // 144 numbers
    });

    [Fact]
    public void One_bit_less_costs_six_decibels_on_Gaussian_weights()
    {
        var weight = randn([512, 512], generator: new Generator(3));
        double Decibels(int bits)
        {
            using var made = QuantizedTensor.Round(weight, new QuantizationScheme { Bits = bits });
            return -10 * Math.Log10((made.Dequantize() - weight).pow(2).mean().item<float>());
        }
        for (var bits = 8; bits > 3; bits--)
        {
            // a symmetric grid of b bits has 2^(b-1) - 1 steps to its end, so a bit is a little more than a factor of 2
            var expected = 20 * Math.Log10(((1 << (bits - 1)) - 1.0) / ((1 << (bits - 2)) - 1.0));
            var lost = Decibels(bits) - Decibels(bits - 1);
            Assert.Equal(expected, lost, 0.3);
            if (bits > 5) Assert.Equal(6.02, lost, 0.4);
        }
    }

    [Fact]
    public void Smaller_groups_have_a_smaller_error_on_average_over_Gaussian_weights()
    {
        var weight = randn([1000, 128], generator: new Generator(5));
        double Error(QuantizationScheme scheme)
        {
            using var made = QuantizedTensor.Round(weight, scheme);
            return (made.Dequantize() - weight).pow(2).mean().item<float>();
        }
        Assert.True(Error(QuantizationScheme.FourBits(32)) < Error(QuantizationScheme.FourBits(64)));
        Assert.True(Error(QuantizationScheme.FourBits(64)) < Error(QuantizationScheme.FourBits(128)));
    }

    [Fact]
    public void Bits_per_weight_count_scales_and_zero_points()
    {
        using var symmetric = QuantizedTensor.Round(randn([4, 64]), QuantizationScheme.FourBits(8, symmetric: true));
        using var affine = QuantizedTensor.Round(randn([4, 64]), QuantizationScheme.FourBits(32));
        Assert.Equal(4 + (16.0 / 8), symmetric.BitsPerWeight, 1e-9);
        Assert.Equal(4 + (20.0 / 32), affine.BitsPerWeight, 1e-9);
    }

    [Fact]
    public void Bad_input_is_refused_in_one_sentence()
    {
        Refuses(() => QuantizedTensor.Round(randn([2, 20]), QuantizationScheme.FourBits(32)), "20 numbers", "32");
        Refuses(() => QuantizedTensor.Round(randn([2, 20]), new QuantizationScheme { Bits = 9 }), "Bits is 9", "2 to 8");
        Refuses(() => QuantizedTensor.Round(full([2, 4], float.NaN), QuantizationScheme.EightBits), "NaN");
        Refuses(() => QuantizedTensor.Round(empty([0, 4]), QuantizationScheme.EightBits), "[0, 4]");
    }

    private static void Sample(Action<Tensor, QuantizationScheme> law) =>
        Gen.Select(Gen.ULong, Gen.Int[2, 8], Gen.Bool, Gen.Int[0, 4], Gen.Double[1e-3, 1e3])
            .Sample((seed, bits, symmetric, kind, size) =>
        {
            using var inner = NewDisposeScope();
            var weight = randn([6, 24], generator: new Generator(seed)) * size;
            var scheme = new QuantizationScheme { Bits = bits, IsSymmetric = symmetric };
            law(weight, kind switch
            {
                0 => scheme with { Granularity = ScaleGranularity.Tensor },
                1 => scheme,
                2 => scheme with { Granularity = ScaleGranularity.Group, GroupSize = 8 },
                3 => QuantizationScheme.Nf4(8),
                _ => scheme with { UsesFullRange = symmetric },
            });
        }, iter: 60);
}
