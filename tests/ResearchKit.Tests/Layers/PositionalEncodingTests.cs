using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class PositionalEncodingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly GoldenCase golden = new("positional-a");

    public void Dispose()
    {
        golden.Dispose();
        scope.Dispose();
    }

    [Theory]
    [InlineData(50, 16)]
    [InlineData(7, 6)]
    public void Sinusoids_equal_the_reference(int length, int width)
    {
        using var positions = new SinusoidalPositions(length, width);
        golden.Check($"sinusoid.interleaved.{length}x{width}", positions.call(zeros(1, length, width))[0]);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    public void Alibi_slopes_equal_the_reference(int heads) =>
        golden.Check($"alibi.slopes.{heads}", tensor(AlibiPositions.Slopes(heads).ToArray()));

    [Fact]
    public void The_ALiBi_bias_falls_linearly_with_the_distance()
    {
        using var alibi = new AlibiPositions(2);
        var bias = alibi.ScoreBias(ones(1), queries: 2, keys: 3)!;
        var slope = (float)AlibiPositions.Slopes(2)[1];
        Near.Check("head 1", tensor(new[] { -1f, 0, -1, -2, -1, 0 }).view(2, 3) * slope, bias[1], 1e-6);
    }

    [Theory]
    [InlineData(0, 8, 10_000)]
    [InlineData(1, 12, 500_000)]
    public void Rotary_positions_equal_the_reference(int number, int width, double wavelengthBase)
    {
        using var rotary = new RotaryPositions(width, wavelengthBase);
        foreach (var name in new[] { "q", "k" })
        {
            var (x, positions) = (golden[$"rope.llama.{number}.{name}"], golden[$"rope.llama.{number}.position_ids"]);
            // The reference gives each token a position of its own: rotate token by token.
            var rows = from batch in Enumerable.Range(0, (int)x.shape[0])
                       select stack([.. from time in Enumerable.Range(0, (int)x.shape[2])
                                        let position = positions[Math.Min(batch, (int)positions.shape[0] - 1), time].item<long>()
                                        select rotary.Rotate(x[batch].narrow(1, time, 1), position).squeeze(1)], 1);
            golden.Check($"rope.llama.{number}.{name}_out", stack([.. rows], 0));
        }
    }

    [Fact]
    public void Scaled_rotary_positions_follow_their_formulas()
    {
        const int Width = 32, Position = 11;
        const double Base = 10_000, Factor = 8, Low = 1, High = 4, Context = 512;
        double Llama3(double angle)
        {
            var wavelength = 2 * Math.PI / angle;
            if (wavelength < Context / High) return angle;
            if (wavelength > Context / Low) return angle / Factor;
            var smooth = ((Context / wavelength) - Low) / (High - Low);
            return ((1 - smooth) * angle / Factor) + (smooth * angle);
        }
        void Follows(RotaryScaling scaling, Func<double, double> formula)
        {
            using var rotary = new RotaryPositions(Width, Base, scaling);
            var turned = rotary.Rotate(cat([ones(1, 1, 1, Width / 2), zeros(1, 1, 1, Width / 2)], -1), Position).view(2,
                Width / 2);
            var angles = Enumerable.Range(0, Width / 2).Select(pair => Position * formula(Math.Pow(Base, -2.0 * pair / Width)))
                .ToList();
            Near.Check($"{scaling}",
                tensor(angles.Select(angle => (float)Math.Cos(angle)).Concat(angles.Select(angle => (float)Math.Sin(angle)))
                .ToArray()).view(2, Width / 2), turned, 2e-6);
        }
        Follows(new RotaryScaling.Linear(Factor), angle => angle / Factor);
        Follows(new RotaryScaling.Llama3(Factor, Low, High, (int)Context), Llama3);
        var pairs = Enumerable.Range(0, Width / 2).Select(pair => Math.Pow(Base, -2.0 * pair / Width))
            .GroupBy(angle => Llama3(angle) == angle ? "fast" : Llama3(angle) == angle / Factor ? "slow" : "between");
        Assert.Equal(3, pairs.Count());   // the formula's three cases all occur
    }

    [Theory]
    [InlineData(0.5, 1, 4, 512)]
    [InlineData(8, 0, 4, 512)]
    [InlineData(8, 4, 4, 512)]
    [InlineData(8, 1, 4, 0)]
    [InlineData(double.NaN, 1, 4, 512)]
    public void Inconsistent_rotary_scaling_is_refused(double factor, double low, double high, int context) =>
        Assert.Contains("Rotary scaling",
            Refused(() => new RotaryPositions(8, scaling: new RotaryScaling.Llama3(factor, low, high, context))),
            StringComparison.Ordinal);

    [Fact]
    public void A_rotary_score_depends_only_on_the_distance()
    {
        using var rotary = new RotaryPositions(8);
        var (query, key) = (randn(1, 1, 1, 8), randn(1, 1, 1, 8));
        Tensor Score(long at) => (rotary.Rotate(query, at + 3) * rotary.Rotate(key, at)).sum();
        Near.Check("moved by 90", Score(0), Score(90), 1e-4);
    }

    [Theory]
    [InlineData(Positions.Sinusoidal)]
    [InlineData(Positions.Learned)]
    [InlineData(Positions.Random)]
    public void An_offset_gives_the_same_positions_as_in_the_whole_sequence(Positions kind)
    {
        using var positions = PositionalEncoding.Create(kind, 10, 6, 2);
        var x = randn(2, 10, 6);
        Near.Check("rows 4 to 6", positions.call(x)[.., 4..7], positions.Embed(x[.., 4..7], 4), 0);
    }

    [Theory]
    [InlineData(Positions.Sinusoidal)]
    [InlineData(Positions.Learned)]
    [InlineData(Positions.Random)]
    [InlineData(Positions.Rotary)]
    public void Each_token_can_have_its_own_position(Positions kind)
    {
        using var encoding = PositionalEncoding.Create(kind, 10, 6, 1);
        var positions = tensor(new long[] { 4, 5, 6, 1, 2, 3 }).view(2, 3);
        Tensor At(Tensor x, long start) =>
            kind == Positions.Rotary ? encoding.Rotate(x.unsqueeze(1), start).squeeze(1) : encoding.Embed(x, start);
        var rows = randn(2, 3, 6);
        var actual = kind == Positions.Rotary
            ? encoding.Rotate(rows.unsqueeze(1), positions).squeeze(1) : encoding.Embed(rows, positions);
        Near.Check("from 4", At(rows[..1], 4), actual[..1], 1e-6);
        Near.Check("from 1", At(rows[1..], 1), actual[1..], 1e-6);
        if (kind != Positions.Rotary)
            Assert.Contains("[2, 3]", Refused(() => encoding.Embed(rows, positions[..1])), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_positions_the_input_is_unchanged()
    {
        using var none = PositionalEncoding.Create(Positions.None, 10, 6, 2);
        var x = randn(2, 10, 6);
        Near.Check("x", x, none.call(x), 0);
    }

    [Fact]
    public void Fixed_positions_are_saved_and_moved_but_not_trained()
    {
        using var random = new RandomPositions(4, 6);
        using var sinusoidal = new SinusoidalPositions(4, 6);
        foreach (var positions in new PositionalEncoding[] { random, sinusoidal })
        {
            Assert.Empty(positions.parameters());
            Assert.Equal(["table"], positions.state_dict().Keys);
            positions.to(new Device("meta"));
            Assert.Equal(DeviceType.META, positions.call(zeros([1, 4, 6], device: new Device("meta"))).device_type);
        }
    }

    [Fact]
    public void Invalid_lengths_and_widths_are_refused_with_the_numbers()
    {
        using var learned = new LearnedPositions(32, 6);
        Assert.Contains("Got 40 tokens; the context length is 32.", Refused(() => learned.call(randn(1, 40, 6))),
            StringComparison.Ordinal);
        Assert.Contains("[1, 6]", Refused(() => learned.call(randn(1, 6))), StringComparison.Ordinal);
        Assert.Contains("4 channels", Refused(() => learned.call(randn(1, 2, 4))), StringComparison.Ordinal);
        Assert.Contains("7", Refused(() => new SinusoidalPositions(4, 7)), StringComparison.Ordinal);
        Assert.Contains("5", Refused(() => new RotaryPositions(5)), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;
}
