using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class QuantizationTrainingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<QuantizationScheme> Schemes =>
    [
        QuantizationScheme.EightBits, QuantizationScheme.FourBits(16), QuantizationScheme.Nf4(16),
        new QuantizationScheme { Bits = 2, IsSymmetric = false, Granularity = ScaleGranularity.Tensor },
        new QuantizationScheme { Bits = 3, UsesFullRange = true },
    ];

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Preparing_and_converting_give_the_same_codes_and_outputs(QuantizationScheme scheme)
    {
        using var model = Model();
        var plan = new QuantizationPlan { Scheme = scheme };
        Assert.Equal(8, Quantization.Prepare(model, plan).Count);
        Train(model);
        var trained = model.forward(Tokens());
        var before = Quantization.Codes(model);
        var rounded = before.ToDictionary(pair => pair.Key, pair => pair.Value.Dequantize());
        var report = Quantization.Convert(model);
        Assert.Equal(8, report.Layers.Count);
        Near.Check("outputs", trained, model.forward(Tokens()), 1e-6);
        foreach (var (name, module) in model.named_modules())
            if (module is IAdaptableLayer layer)
            {
                Assert.True(rounded[name].Equals(layer.Matrix()), name);
                using var again = QuantizedTensor.Round(layer.Matrix(), scheme);   // the scale comes from the rounded weights now
                if (!scheme.UsesFullRange && scheme.IsSymmetric) Assert.True(before[name].Codes.Equals(again.Codes), name);
            }
        foreach (var codes in before.Values) codes.Dispose();
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void A_forward_pass_uses_the_numbers_of_rounding_to_nearest(QuantizationScheme scheme)
    {
        var weight = randn([8, 32], generator: new Generator(2)).requires_grad_(true);
        using var made = QuantizedTensor.Round(weight, scheme);
        Assert.True(made.Dequantize().Equals(StraightThrough.Round(weight, scheme).detach()));
    }

    [Fact]
    public void A_gradient_is_one_inside_the_grid_and_zero_outside()
    {
        // codes −2 to 1 and scale 4 / 1.5: 4 is 1.5 steps, which rounds to 2 and lies outside; −4 rounds to −2, inside
        var scheme = new QuantizationScheme { Bits = 2, UsesFullRange = true };
        var weight = tensor(new float[,] { { 4, -4, 1, 0 } }).requires_grad_(true);
        var given = tensor(new float[,] { { 3, 5, 7, 9 } });
        (StraightThrough.Round(weight, scheme) * given).sum().backward();
        Assert.True(weight.grad!.Equals(tensor(new float[,] { { 0, 5, 7, 9 } })));
        using var book = randn([2, 32]).requires_grad_(true);
        StraightThrough.Round(book, QuantizationScheme.Nf4(16)).sum().backward();
        Assert.True(book.grad!.Equals(ones(2, 32)));
    }

    [Fact]
    public void Training_with_rounding_lowers_the_loss_of_the_rounded_model()
    {
        var plan = new QuantizationPlan { Scheme = new QuantizationScheme { Bits = 2, IsSymmetric = false } };
        using var rounded = Model();
        Train(rounded);
        Quantization.Simulate(rounded, plan);
        using var trained = Model();
        Train(trained);
        Quantization.Prepare(trained, plan);
        Train(trained, steps: 30);
        Quantization.Convert(trained);
        Assert.True(Loss(trained).item<float>() < 0.9 * Loss(rounded).item<float>());
    }

    [Fact]
    public void Steps_of_a_prepared_model_free_their_tensors()
    {
        using var model = Model();
        Quantization.Prepare(model);
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        void Step()
        {
            using var step = NewDisposeScope();
            optimizer.zero_grad();
            Loss(model).backward();
            optimizer.step();
        }
        Step();
        var before = LiveTensors.Count;
        Step();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Plans_that_cannot_be_trained_are_refused_and_the_model_stays()
    {
        using var model = Model();
        Refuses(() => Quantization.Prepare(model, new QuantizationPlan { Rounding = new Gptq() }), "rounds to nearest", "Gptq");
        Refuses(() => Quantization.Prepare(model, new QuantizationPlan { Scaling = new Awq() }), "Awq");
        Refuses(() => Quantization.Prepare(model, new QuantizationPlan { Scheme = QuantizationScheme.FourBits(48) }),
            "c_attn", "48");
        Assert.Throws<InvalidOperationException>(() => Quantization.Convert(model));
        Assert.Throws<InvalidOperationException>(() => Quantization.Codes(model));
        Quantization.Prepare(model);
        Assert.Throws<InvalidOperationException>(() => Quantization.Prepare(model));
        Assert.Throws<InvalidOperationException>(() => Adapters.Attach(model));
        Assert.Throws<InvalidOperationException>(() => model.PackForInference());
    }

    private static void Train(Gpt model, int steps = 10)
    {
        using var optimizer = optim.AdamW(model.parameters(), 3e-3);
        for (var step = 0; step < steps; step++)
        {
            using var inner = NewDisposeScope();
            optimizer.zero_grad();
            Loss(model).backward();
            optimizer.step();
        }
    }

    private static Tensor Loss(Gpt model)
    {
        var tokens = Tokens();
        return nn.functional.cross_entropy(model.forward(tokens[.., ..^1]).flatten(0, 1), tokens[.., 1..].flatten());
    }

    private static Tensor Tokens() => randint(0, 20, [4, 16], generator: new Generator(1));

    private static Gpt Model()
    {
        Compute.Seed(3);
        return new Gpt(GptConfig.Nano with { VocabularySize = 20, Layers = 2, ModelWidth = 32, Heads = 2, Dropout = 0 });
    }
}
