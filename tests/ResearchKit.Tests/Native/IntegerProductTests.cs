using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class IntegerProductTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();

    public void Dispose()
    {
        noGrad.Dispose();
        scope.Dispose();
    }

    /// <summary>Outputs, inputs, groups.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 37, 103, 1 }, { 16, 256, 1 }, { 48, 515, 1 }, { 33, 96, 3 }, { 20, 512, 1 },
        { 18, 1024, 2 }, { 7, 120, 10 },
    };

    [SkippableTheory]
    [MemberData(nameof(Shapes))]
    public void A_product_of_codes_is_that_of_the_numbers_for_any_shape(int outputs, int inputs, int groups)
    {
        Skip.IfNot(IntegerSums.IsSupported);
        manual_seed(1);
        foreach (var weight in Weights(outputs, inputs, groups))
        {
            using var panels = new CodePanels(weight);
            var bias = randn(outputs);
            var x = randn(9, inputs);
            var exact = x.to(float64).mm(Numbers(weight).t()) + bias;
            foreach (var rows in new[] { 1, 2, 4, 5, 9 })
            {
                using var product = panels.Multiply(x[..rows].contiguous(), bias, default);
                var error = ((product - exact[..rows]).norm() / exact[..rows].norm()).item<double>();
                Assert.InRange(error, 0, weight.Table is null ? 1e-4 : 3e-4);
            }
        }
    }

    [SkippableFact]
    public void A_row_has_the_same_bits_alone_and_among_others()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        manual_seed(2);
        var x = randn(6, 192);
        foreach (var weight in Weights(40, 192, 6))
            foreach (var precision in (InputPrecision[])[default, new(true), new(true, 0.03f)])
            {
                using var panels = new CodePanels(weight);
                using var together = panels.Multiply(x, null, precision);
                for (var row = 0; row < 6; row++)
                {
                    using var alone = panels.Multiply(x[row..(row + 1)].contiguous(), null, precision);
                    Assert.True(alone[0].Equals(together[row]), $"{weight.Storage}, row {row}");
                }
            }
    }

    [SkippableFact]
    public void Inputs_of_8_bits_are_multiplied_exactly()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        manual_seed(3);
        var codes = randint(-128, 128, [24, 300]).to(int8);
        var scales = rand(24, 1) + 0.1f;
        using var panels = new CodePanels(new WeightCodes(CodeStorage.Bytes, codes, scales));
        var x = randn(5, 300);
        var step = x.abs().amax([-1], keepdim: true) / 127;
        var whole = (x / step).round();
        var expected = whole.to(float64).mm(codes.to(float64).t()) * step.to(float64) * scales.to(float64).t();
        using var product = panels.Multiply(x, null, new InputPrecision(true));
        Assert.InRange(((product - expected).abs().max() / expected.abs().max()).item<double>(), 0, 1e-6);

        var clamped = (x / 0.01).round().clamp(-127, 127);
        expected = clamped.to(float64).mm(codes.to(float64).t()) * 0.01 * scales.to(float64).t();
        using var given = panels.Multiply(x, null, new InputPrecision(true, 0.01f));
        Assert.InRange(((given - expected).abs().max() / expected.abs().max()).item<double>(), 0, 1e-6);
    }

    [SkippableFact]
    public void The_largest_codes_and_inputs_do_not_overflow()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        var ends = new[]
        {
            new WeightCodes(CodeStorage.Bytes, full([3, 1024], -128, int8), ones(3, 1)),
            new WeightCodes(CodeStorage.Bytes, full([3, 1024], 127, int8), ones(3, 1), full([3, 1], -128, int8)),
            new WeightCodes(CodeStorage.Nibbles, full([3, 1024], 15, uint8), ones(3, 4), zeros(3, 4, int8)),
            new WeightCodes(CodeStorage.Table, full([3, 1024], 15, uint8), ones(3, 4), Table: CodeBook.Nf4.Values),
        };
        foreach (var weight in ends)
            foreach (var rows in new[] { 1, 3 })
            {
                using var panels = new CodePanels(weight);
                var x = full([rows, 1024], -3.0f);
                using var product = panels.Multiply(x, null, default);
                var exact = x.to(float64).mm(Numbers(weight).t());
                Assert.InRange(((product - exact).abs().max() / exact.abs().max()).item<double>(), 0, 1e-6);
            }
    }

    [SkippableFact]
    public void Codes_come_back_as_they_were_given()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        manual_seed(4);
        foreach (var weight in Weights(37, 84, 3))
        {
            using var panels = new CodePanels(weight);
            var all = panels.Rows(arange(37, int64));
            Assert.True(all.Codes.Equals(weight.Codes), weight.Storage.ToString());
            Assert.True(all.Scales.Equals(weight.Scales));
            if (weight.Zeros is not null) Assert.True(all.Zeros!.Equals(weight.Zeros));
            var some = panels.Rows(tensor(new long[] { 36, 0, 17 }));
            Assert.True(some.Codes.Equals(weight.Codes[tensor(new long[] { 36, 0, 17 })]));
        }
    }

    [SkippableFact]
    public void OneDnn_multiplies_the_same_whole_numbers_where_it_does_not_saturate()
    {
        Skip.IfNot(IntegerSums.IsSupported && OneDnnCodes.IsThere);
        manual_seed(6);
        var codes = randint(-40, 41, [33, 100]).to(int8);   // small ones are right without VNNI too
        var scales = rand(33, 1) + 0.1f;
        using var panels = new CodePanels(new WeightCodes(CodeStorage.Bytes, codes, scales));
        using var packed = OneDnnCodes.Pack(codes, scales)!;
        var (x, bias) = (randn(5, 100), randn(33));
        x[2] = 0;
        foreach (var given in new[] { 0, 0.02f })
        {
            var expected = panels.Multiply(x, bias, new InputPrecision(true, given));
            var product = packed.Multiply(x, bias, given);
            Assert.InRange(((product - expected).abs().max() / expected.abs().max()).item<float>(), 0, 1e-6);
            x[1, 7] = float.NaN;
            product = packed.Multiply(x, bias, given);
            Assert.True(product[1].isnan().all().item<bool>() && product[0].isfinite().all().item<bool>());
            x[1, 7] = 1;
        }
        _ = IntegerTrials.OneDnnIsRight();
    }

    [SkippableFact]
    public void A_row_that_is_not_finite_gives_NaN_and_the_others_numbers()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        using var panels = new CodePanels(Weights(20, 40, 1).First());
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity })
            foreach (var place in new[] { 3, 39 })
                foreach (var precision in new[] { default, new InputPrecision(true), new InputPrecision(true, 0.1f) })
                {
                    var x = ones(3, 40);
                    x[1, place] = bad;
                    using var product = panels.Multiply(x, null, precision);
                    Assert.True(product[1].isnan().all().item<bool>());
                    Assert.True(product[0].isfinite().all().item<bool>() && product[2].isfinite().all().item<bool>());
                }
        using var nothing = panels.Multiply(zeros(2, 40), null, default);
        Assert.Equal(0, nothing.abs().max().item<float>());
    }

    private static IEnumerable<WeightCodes> Weights(int outputs, int inputs, int groups)
    {
        var scales = rand(outputs, groups) + 0.1f;
        var nibbles = randint(0, 16, [outputs, inputs]).to(uint8);
        var bytes = randint(-128, 128, [outputs, inputs]).to(int8);
        yield return new WeightCodes(CodeStorage.Bytes, bytes, scales);
        yield return new WeightCodes(CodeStorage.Bytes, bytes, scales, randint(-128, 128, [outputs, groups]).to(int8));
        yield return new WeightCodes(CodeStorage.Nibbles, nibbles, scales, null, 8);
        yield return new WeightCodes(CodeStorage.Nibbles, nibbles, scales, randint(0, 16, [outputs, groups]).to(int8));
        yield return new WeightCodes(CodeStorage.Table, nibbles, scales, Table: CodeBook.Nf4.Values);
    }

    /// <summary>float64 [out, in].</summary>
    private static Tensor Numbers(WeightCodes weight)
    {
        var (outputs, inputs) = (weight.Codes.shape[0], weight.Codes.shape[1]);
        var codes = weight.Table is null ? weight.Codes.to(float64)
            : tensor(weight.Table.Select(value => (double)value).ToArray())[weight.Codes.to(int64)];
        var groups = codes.view(outputs, weight.Scales.shape[1], -1);
        var zeros = weight.Table is not null ? tensor(0.0)
            : weight.Zeros?.to(float64).unsqueeze(-1) ?? tensor((double)weight.Zero);
        return ((groups - zeros) * weight.Scales.to(float64).unsqueeze(-1)).view(outputs, inputs);
    }
}
