using CsCheck;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class AdamW8bitTests
{
    [Fact]
    public void The_state_takes_two_bytes_for_each_parameter()
    {
        using var scope = NewDisposeScope();
        var parameters = new[] { ("weight", new Parameter(zeros(256, 300))), ("bias", new Parameter(zeros(300))) };
        using var optimizer = new AdamW8bit(parameters);
        double Bytes(string name) => optimizer.State().Where(pair => pair.Key.StartsWith(name, StringComparison.Ordinal))
            .Sum(pair => pair.Value.numel() * pair.Value.element_size());
        Assert.InRange(Bytes("weight") / (256 * 300), 2, 2.04);
        Assert.Equal((2 * 4 * 300) + 4, Bytes("bias"));   // small: full precision
        using var full = new FusedAdamW(parameters);
        Assert.Equal(8, full.State().Where(pair => pair.Key.StartsWith("weight.exp", StringComparison.Ordinal))
            .Sum(pair => pair.Value.numel() * pair.Value.element_size()) / (256.0 * 300));
    }

    [Fact]
    public void The_quantization_code_is_sorted_and_has_a_small_relative_error()
    {
        Assert.Equal(256, DynamicCode.Signed.Length);
        Assert.Equal(256, DynamicCode.Unsigned.Length);
        Assert.Equal(0, DynamicCode.Signed[DynamicCode.SignedZero]);
        foreach (var code in new[] { DynamicCode.Signed, DynamicCode.Unsigned })
        {
            Assert.Equal(code.Distinct().Order(), code);
            Assert.Equal(1, code[^1]);
        }
        foreach (var value in Enumerable.Range(0, 1000).Select(i => Math.Pow(10, -i / 1000.0 * 2)))   // two powers of ten
            Assert.InRange(DynamicCode.Unsigned.Min(code => Math.Abs(code - value)) / value, 0, 0.08);
    }

    [Fact]
    public void The_quantization_error_of_a_moment_is_bounded_in_each_decade() =>
        Gen.Float[-1, 1].Array[40].Sample(numbers =>
        {
            using var scope = NewDisposeScope();
            var values = numbers.Select((number, i) => i == 3 ? 0 : i == 17 ? 1f : number * MathF.Pow(10, -i % 9)).ToArray();
            var weight = new Parameter(zeros(40));
            using var optimizer =
                new AdamW8bit([("w", weight)],
                new AdamW8bitOptions { Beta1 = 0, Beta2 = 0, SmallestQuantized = 0, BlockSize = 20 });
            weight.grad = tensor(values);
            optimizer.Step();
            var state = optimizer.State().ToDictionary(pair => pair.Key, pair => pair.Value.to(float64).data<double>().ToArray());
            for (var i = 0; i < values.Length; i++)
            {
                Check(values[i], DynamicCode.Signed[(int)state["w.state1"][i]], state["w.absmax1"][i / 20], 1);
                Check((double)values[i] * values[i], DynamicCode.Unsigned[(int)state["w.state2"][i]], state["w.absmax2"][i / 20],
                    2);
            }

            static void Check(double value, double code, double scale, int fewest)
            {
                var share = Math.Abs(value) / scale;
                var power = Math.Clamp(Math.Ceiling(Math.Log10(share) + 1e-6) + 6, 0, 6);
                Assert.InRange(Math.Abs((code * scale) - value) / scale, 0,
                    Math.Pow(10, power - 6) * Math.Max(0.45 / (fewest * Math.Pow(2, power)), power == 0 ? 0.1 : 0) * 1.001);
                Assert.True(code * value >= 0, "the sign is kept");
            }
        }, iter: 50);

    [Fact]
    public void A_small_network_reaches_the_same_loss_as_with_AdamW()
    {
        using var scope = NewDisposeScope();
        var (full, small) = (Train(parameters => new FusedAdamW(parameters, new FusedAdamWOptions { LearningRate = 3e-3 })),
            Train(parameters => new AdamW8bit(parameters,
                new AdamW8bitOptions { LearningRate = 3e-3, SmallestQuantized = 512 })));
        Assert.True(full.Last < full.First * 0.3, $"AdamW: {full}");
        Assert.InRange(small.Last / full.Last, 0.95, 1.05);
    }

    [Fact]
    public void Without_quantization_it_equals_AdamW()
    {
        using var scope = NewDisposeScope();
        var (one, other) = (new Parameter(ones(4, 4)), new Parameter(ones(4, 4)));
        using var small = new AdamW8bit([("w", one)],
            new AdamW8bitOptions { LearningRate = 0.1, Beta1 = 0.8, Beta2 = 0.9, Epsilon = 1e-3, WeightDecay = 0.2 });
        using var full = new FusedAdamW([("w", other)],
            new FusedAdamWOptions { LearningRate = 0.1, Beta1 = 0.8, Beta2 = 0.9, Epsilon = 1e-3, WeightDecay = 0.2 });
        for (var step = 0; step < 3; step++)
        {
            one.grad = other.grad = arange(16).to(float32).view(4, 4) - step;
            small.Step();
            full.Step();
        }
        Near.Check("weights", other, one, 0);
    }

    /// <summary>Learns the greatest of 16 numbers' place from random rows; two layers, 200 steps.</summary>
    private static (double First, double Last) Train(Func<IEnumerable<(string Name, Parameter Parameter)>, Optimizer> create)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var first = new Parameter(randn([64, 16], generator: generator) * 0.25);
        var second = new Parameter(randn([16, 64], generator: generator) * 0.125);
        using var optimizer = create([("first", first), ("second", second)]);
        var losses = new List<double>();
        for (var step = 0; step < 200; step++)
        {
            using var inner = NewDisposeScope();
            var rows = randn([128, 16], generator: generator);
            var loss = nn.functional.cross_entropy(rows.mm(first.t()).relu().mm(second.t()), rows.argmax(1));
            optimizer.ZeroGrad();
            loss.backward();
            optimizer.Step();
            losses.Add(loss.item<float>());
        }
        return (losses[0], losses.TakeLast(20).Average());
    }
}
