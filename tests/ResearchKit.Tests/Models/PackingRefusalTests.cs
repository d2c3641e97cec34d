using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>What a model that is packed for inference refuses, each in one sentence.</summary>
public sealed class PackingRefusalTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt packed = new Gpt(GptConfig.Nano).PackForInference();
    private readonly Tensor tokens = randint(0, 65, [1, 5], int64);

    public void Dispose()
    {
        packed.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Hooks_are_refused()
    {
        Refuses("hooked", () => ActivationCache.Record(packed));
        Refuses("hooked", () => packed.Attention(tokens, ["a", "b", "c", "d", "e"]));
        using var network = new ResNet(ResNetConfig.Nano).PackForInference();
        Refuses("hooked", () => FeatureMaps.Of(network, zeros(1, ResNetConfig.Nano.InputChannels, 28, 28), "layer1"));
        var point = packed.modules().OfType<HookPoint>().First();
        var hook = point.register_forward_hook((_, _, output) => output);
        Refuses("hooked", () => packed.call(tokens));
        hook.remove();
        packed.call(tokens);
    }

    [Fact]
    public void NaN_and_infinity_are_refused()
    {
        if (!ResearchKit.Native.OneDnnConvolution.IsUsed) return;   // only fused convolutions hide them
        using var noGrad = no_grad();
        using var network = new ResNet(ResNetConfig.Nano);
        network.eval();
        using (var packedNetwork = network.PackForInference())
            Assert.Contains("hold NaN or infinity", Assert.Throws<ArgumentException>(() =>
                packedNetwork.call(full([1, ResNetConfig.Nano.InputChannels, 28, 28], float.PositiveInfinity))).Message,
                    StringComparison.Ordinal);
        var (name, weight) = network.named_parameters().Last(pair => pair.parameter.dim() == 4);
        weight.fill_(float.NaN);
        Assert.Contains($"{name} holds NaN or infinity",
            Assert.Throws<ArgumentException>(() => network.PackForInference()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_is_refused()
    {
        Refuses("trained", () => packed.train());
        Assert.DoesNotContain(packed.modules().Prepend(packed), module => module.training);
        var loader = new BatchLoader(new TextWindows([.. Enumerable.Range(0, 64)], 8), 2, 1);
        Refuses("trained", () => new Trainer(packed, Losses.CrossEntropy, loader, new TrainerOptions()));
        using var network = new ResNet(ResNetConfig.Nano).PackForInference();
        Refuses("trained", () => network.train());
        Refuses("differentiated", () => network.call(zeros(1, ResNetConfig.Nano.InputChannels, 28, 28).requires_grad_()));
        using var classifier = new TransformerClassifier(TransformerClassifierConfig.First).PackForInference();
        Refuses("differentiated", () => classifier.call(zeros(1, 3, 100).requires_grad_()));
        Assert.DoesNotContain(packed.parameters(), parameter => parameter.requires_grad);
    }

    [Fact]
    public void Saving_is_refused()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Refuses("saved", () => StateDict.Save(packed, path));
        Refuses("saved", () => packed.SavePretrained(path));
        Refuses("saved or loaded", () => packed.state_dict());
        Assert.False(File.Exists(path) || Directory.Exists(path));
    }

    [Fact]
    public void Packing_again_moving_and_casting_are_refused()
    {
        Refuses("packed again", () => packed.PackForInference());
        Refuses("moved or cast", () => packed.to(float64));
        Refuses("moved or cast", () => packed.to(new Device("meta")));
    }

    [Fact]
    public void Unsupported_dtypes_and_unknown_models_are_refused()
    {
        using var model = new Gpt(GptConfig.Nano);
        Assert.Equal("The type is Float16; a model is packed in float32 or bfloat16. (Parameter 'dtype')",
            Assert.Throws<ArgumentException>(() => model.PackForInference(ScalarType.Float16)).Message);
        using var other = nn.Linear(2, 2);
        Assert.Contains("is not a model of the kit", Assert.Throws<ArgumentException>(() => other.PackForInference()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void BFloat16_is_refused_on_a_processor_without_instructions_for_it()
    {
        using var faked = new InferencePackingTests.FakedInstructions(false);
        using var model = new Gpt(GptConfig.Nano);
        Assert.Equal("This processor has no bfloat16 instructions (AVX512_BF16 or AMX), so that packed bfloat16 would be "
            + "slower than float32.",
            Assert.Throws<NotSupportedException>(() => model.PackForInference(ScalarType.BFloat16)).Message);
    }

    private static void Refuses(string what, Action call) =>
        Assert.Equal($"A model that is packed for inference cannot be {what}; use the original.",
        Assert.Throws<InvalidOperationException>(call).Message);
}
