using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class MuonTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("c")]
    public void The_Newton_Schulz_iteration_equals_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        var golden = SafetensorsFile.Read(Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "optim", "muon.safetensors"));
        foreach (var steps in new[] { 1, 5, 10 })
            Near.Check($"{name} after {steps}", golden[$"newton_schulz/{name}/out_steps{steps}"],
                Muon.Orthogonalize(golden[$"newton_schulz/{name}/input"], steps), 2e-5);
    }

    [Fact]
    public void The_larger_singular_values_are_close_to_one_for_every_shape() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 12], Gen.ULong).Sample((rows, columns, seed) =>
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(seed);
            var matrix = randn([2, rows, columns], generator: generator);
            var made = Muon.Orthogonalize(matrix, 10);
            Assert.Equal(matrix.shape, made.shape);
            var singular = linalg.svdvals(made).flatten().data<float>().ToArray();
            Assert.All(singular.Order().Skip(singular.Length / 2), value => Assert.InRange(value, 0.6, 1.3));
        }, iter: 30);

    [Fact]
    public void Native_and_emulated_bfloat16_products_agree_with_float32()
    {
        using var scope = NewDisposeScope();
        using var kernels = new TestKernels("");
        var matrix = randn([3, 24, 40], generator: new Generator(5));
        Tensor Under(string product)
        {
            TestKernels.Take($"bf16-linear={product}");
            return Muon.Orthogonalize(matrix, precision: ScalarType.BFloat16);
        }
        foreach (var product in new[] { "float32", "libtorch" })
            Near.Check(product, Muon.Orthogonalize(matrix), Under(product), 0.05);   // five rounds of bfloat16's rounding
    }

    [Fact]
    public void The_singular_values_of_a_step_are_near_the_rate_for_gradients_of_any_scale() =>
        Gen.Double[1e-3, 1e3].Sample(scale =>
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(7);
            var weight = new Parameter(zeros(6, 6));
            weight.grad = (eye(6) + (0.1 * randn([6, 6], generator: generator))) * scale;
            using var optimizer =
                new Muon([("w", weight)], new MuonOptions { LearningRate = 0.1, NewtonSchulzPrecision = ScalarType.Float32 });
            optimizer.Step();
            Assert.All(linalg.svdvals(weight.detach()).data<float>().ToArray(), value => Assert.InRange(value, 0.06, 0.13));
        }, iter: 10);

    [Fact]
    public void Other_parameters_are_updated_by_AdamW_whose_rate_keeps_its_ratio()
    {
        using var scope = NewDisposeScope();
        Parameter Vector() => new(ones(5));
        var (hidden, bias, embedding, alone) = (new Parameter(ones(4, 3)), Vector(), new Parameter(ones(6, 2)), Vector());
        using var muon = new Muon([("h.0.weight", hidden), ("h.0.bias", bias), ("wte.weight", embedding)]);
        using var adam = new FusedAdamW([("bias", alone)], new MuonOptions().AdamW);
        Assert.Equal(["h.0.bias.exp_avg", "h.0.bias.exp_avg_sq", "h.0.bias.step", "h.0.weight.momentum_buffer", "h.0.weight.step",
            "wte.weight.exp_avg",
            "wte.weight.exp_avg_sq", "wte.weight.step"], muon.State().Keys.Order(StringComparer.Ordinal));
        (muon.LearningRate, adam.LearningRate) = (0.04, 6e-4);
        foreach (var parameter in new[] { hidden, bias, embedding, alone })
            parameter.grad = arange(parameter.numel()).to(float32).view(parameter.shape);
        muon.Step();
        adam.Step();
        Near.Check("bias", alone, bias, 0);
        Assert.Throws<ArgumentException>(() => new Muon([("b", bias)], new MuonOptions { Orthogonalizes = ParameterRules.All }));
        Assert.Throws<ArgumentException>(() => Muon.Orthogonalize(bias));
    }
}
