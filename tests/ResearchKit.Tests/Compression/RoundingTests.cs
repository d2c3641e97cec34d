using ResearchKit.Compression;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class RoundingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<int, string> Cases
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var seed in new[] { 701, 702 })
            {
                using var golden = new CompressionGolden("quantization", seed);
                foreach (var name in golden.Names.Where(name => name.StartsWith("gptq_", StringComparison.Ordinal)))
                    data.Add(seed, name.Split('/')[0][5..]);
            }
            return data;
        }
    }

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gptq_equals_the_reference(int seed, string name)
    {
        using var golden = new CompressionGolden("quantization", seed);
        var settings = golden.Settings.GetProperty("gptq").GetProperty(name);
        bool Is(string key) => settings.GetProperty(key).GetBoolean();
        int Number(string key) => settings.GetProperty(key).GetInt32();
        var scheme = new QuantizationScheme
        {
            Bits = Number("bits"),
            IsSymmetric = Is("sym"),
            UsesFullRange = Is("sym"),
            Granularity = Number("groupsize") > 0 ? ScaleGranularity.Group : ScaleGranularity.Row,
            GroupSize = Math.Max(2, Number("groupsize")),
        };
        var method = new Gptq
        {
            Damping = settings.GetProperty("percdamp").GetDouble(),
            BlockSize = Number("blocksize"),
            Order = Is("actorder") ? GptqOrder.LargestFirst : GptqOrder.Stored,
            StaticGroups = Is("static_groups"),
            Clip = Is("mse") ? new ClipSearch() : null,
        };
        using var moments = golden.Moments();
        using var made = method.Quantize(golden.Weight, scheme, moments);
        var far = ((made.Dequantize() - golden[$"gptq_{name}/weight"]).abs() > 1e-4).to(float32).mean().item<float>();
        Assert.True(far <= 0.01, $"{far:p2} of the weights differ");
        var error = golden.OutputError(made.Dequantize());
        var expected = settings.GetProperty("output_mse").GetDouble();
        Assert.InRange(error, expected * 0.99, expected * 1.01);
        using var nearest = QuantizedTensor.Round(golden.Weight, scheme);
        Assert.True(error < golden.OutputError(nearest.Dequantize()));
    }

    [Fact]
    public void Gptq_with_inputs_that_do_not_correlate_is_rounding_to_nearest()
    {
        var weight = randn([12, 32], generator: new Generator(1));
        using var moments = new InputMoments(32);
        moments.Add(eye(32));
        foreach (var scheme in new[] { QuantizationScheme.FourBits(8), QuantizationScheme.EightBits,
            QuantizationScheme.FourBits(16, symmetric: true) })
        {
            using var made = new Gptq { BlockSize = 16 }.Quantize(weight, scheme, moments);
            using var nearest = Rounding.Nearest.Quantize(weight, scheme);
            Assert.True(made.Codes.Equals(nearest.Codes));
            Assert.True(made.Scales.Equals(nearest.Scales));
        }
    }

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void Orders_by_size_have_a_smaller_error_than_rounding_to_nearest(int seed)
    {
        using var golden = new CompressionGolden("quantization", seed);
        using var moments = golden.Moments();
        var scheme = QuantizationScheme.FourBits(16);
        using var nearest = Rounding.Nearest.Quantize(golden.Weight, scheme);
        double Error(Gptq method)
        {
            using var made = method.Quantize(golden.Weight, scheme, moments);
            return golden.OutputError(made.Dequantize()) / golden.OutputError(nearest.Dequantize());
        }
        Assert.InRange(Error(new Gptq()), 0, 0.8);
        Assert.InRange(Error(new Gptq { Order = GptqOrder.LargestFirst, StaticGroups = true }), 0, 0.6);
        Assert.InRange(Error(new Gptq { Order = GptqOrder.GroupsFirst }), 0, 0.8);
        Assert.InRange(Error(new Gptq { Order = GptqOrder.GroupsFirst, BlockSize = 24 }), 0, 0.8);
    }

    [Fact]
    public void A_clip_search_never_has_a_larger_error_than_the_full_range()
    {
        var weight = randn([16, 64], generator: new Generator(2)).pow(3);
        var scheme = new QuantizationScheme
        {
            Bits = 3,
            Granularity = ScaleGranularity.Group,
            GroupSize = 16,
            IsSymmetric = false
        };
        var search = new ClipSearch { Exponent = 2 };
        using var clipped = search.Quantize(weight, scheme);
        using var full = Rounding.Nearest.Quantize(weight, scheme);
        var (less, more) = ((clipped.Dequantize() - weight).pow(2).sum(), (full.Dequantize() - weight).pow(2).sum());
        Assert.True(less.item<float>() < more.item<float>());
    }

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void Smoothing_equals_the_reference(int seed)
    {
        using var golden = new CompressionGolden("smoothquant", seed);
        foreach (var alpha in new[] { 0.5, 0.75 })
        {
            var (norm, bias) = (golden["ln_weight"].clone(), golden["ln_bias"].clone());
            Tensor[] weights = [golden["fc1_weight"].clone(), golden["fc2_weight"].clone()];
            var factors = Smoothing.Factors(golden["act_scales"], weights, alpha);
            Smoothing.Apply(factors, [norm, bias], weights);
            var prefix = FormattableString.Invariant($"alpha{alpha}/");
            Near.Check("factors", golden[$"{prefix}scales"], factors, 2e-6);
            Near.Check("norm", golden[$"{prefix}ln_weight"], norm, 2e-6);
            Near.Check("bias", golden[$"{prefix}ln_bias"], bias, 2e-6);
            Near.Check("first", golden[$"{prefix}fc1_weight"], weights[0], 2e-6);
            Near.Check("second", golden[$"{prefix}fc2_weight"], weights[1], 2e-6);
        }
    }

    [Fact]
    public void Bad_input_is_refused_in_one_sentence_and_the_weight_stays()
    {
        var weight = randn([4, 32]);
        var before = weight.clone();
        using var moments = new InputMoments(32);
        Refuses(() => new Gptq().Quantize(weight, QuantizationScheme.EightBits, moments), "calibrate");
        moments.Add(randn([5, 32]));
        Refuses(() => new Gptq { Damping = 0 }.Quantize(weight, QuantizationScheme.EightBits, moments), "singular", "damping");
        Refuses(() => new Gptq().Quantize(weight, QuantizationScheme.Nf4(16), moments), "code book");
        Refuses(() => new Gptq { Order = GptqOrder.LargestFirst }.Quantize(weight, QuantizationScheme.FourBits(), moments),
            "StaticGroups");
        Refuses(() => new Gptq().Quantize(randn([4, 16]), QuantizationScheme.EightBits, moments), "32 channels", "16");
        Refuses(() => moments.Add(full([2, 32], float.PositiveInfinity)), "infinity");
        Assert.True(before.Equals(weight));
    }
}
