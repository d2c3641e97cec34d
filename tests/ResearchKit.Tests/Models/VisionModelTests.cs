using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

[Trait("Tier", "slow")]
public sealed class VisionModelTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Families => ["resnet", "bottleneck", "vgg", "googlenet", "inception"];

    [Theory]
    [MemberData(nameof(Families))]
    public void Features_then_head_equals_forward_and_no_tensor_leaks(string family)
    {
        var (model, features, head, x) = Make(family);
        model.eval();
        Near.Check("logits", model.call(x), head(features(x)), 0);
        using var quiet = no_grad();
        Near.Check("without a gradient", model.call(x), head(features(x)), 0);
        model.call(x).Dispose();
        var before = LiveTensors.Count;
        model.call(x).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_loss_falls_on_one_batch(string family)
    {
        manual_seed(1);
        var (model, _, _, x) = Make(family);
        var targets = arange(x.shape[0], dtype: int64);
        using var optimizer = new FusedAdamW(model.named_parameters(), new() { LearningRate = 5e-3 });
        double Step()
        {
            using var step = NewDisposeScope();
            optimizer.ZeroGrad();
            var loss = nn.functional.cross_entropy(model.call(x), targets);
            loss.backward();
            optimizer.Step();
            return loss.item<float>();
        }
        var first = Step();
        // The smallest: single steps of so small a network jump, by the last bits of a processor's kernels.
        Assert.InRange(Enumerable.Range(0, 20).Min(_ => Step()), 0, first / 2);
    }

    [Fact]
    public void Auxiliary_heads_run_only_on_request_and_train_the_layers_below_them()
    {
        using var model = new GoogLeNet(GoogLeNetConfig.Nano with { AuxiliaryHeads = true });
        var x = randn(2, 1, 28, 28);
        model.call(x).sum().backward();
        Assert.All(model.named_parameters().Where(pair => pair.name.StartsWith("aux", StringComparison.Ordinal)), pair =>
            Assert.Null(pair.parameter.grad));
        var output = model.ForwardWithAuxiliary(x);
        Assert.Equal([2, 2], [output.Auxiliary.Count, (int)output.Auxiliary[1].shape[0]]);
        var (main, low, high) = (output.Logits.sum(), output.Auxiliary[0].sum(), output.Auxiliary[1].sum());
        var loss = output.Loss(logits => logits.sum(), 0.3);
        Near.Check("loss", main + (0.3 * low) + (0.3 * high), loss, 1e-5);
        loss.backward();
        Assert.All(model.parameters(), parameter => Assert.NotNull(parameter.grad));

        using var without = new GoogLeNet(GoogLeNetConfig.Nano);
        Assert.Throws<InvalidOperationException>(() => without.ForwardWithAuxiliary(x));
        using var inception = new InceptionV3(InceptionV3Config.Nano with { AuxiliaryHead = true });
        Assert.Contains("17", Assert.Throws<ArgumentException>(() => inception.ForwardWithAuxiliary(randn(2, 3, 80, 80))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Feature_maps_equal_the_outputs_of_the_named_layers_and_keep_gradients()
    {
        using var model = new ResNet(ResNetConfig.Nano);
        var x = randn(2, 1, 28, 28);
        using var maps = FeatureMaps.Of(model, x, "layer1", "layer3", "layer2.0.bn1", "fc");
        Assert.Equal(["layer1", "layer2.0.bn1", "layer3", "fc"], maps.Names);
        Assert.Equal([2, 64, 7, 7], maps["layer3"].shape);
        Near.Check("fc", maps.Output, maps["fc"], 0);
        maps["layer3"].sum().backward();
        Assert.NotNull(model.named_parameters().First(pair => pair.name == "conv1.weight").parameter.grad);

        model.eval();
        using var quiet = no_grad();
        using var still = FeatureMaps.Of(model, x, "layer2.0.bn1");
        Assert.True(still["layer2.0.bn1"].min().item<float>() < 0, "the map was overwritten by the ReLU behind it");
        Assert.Contains("layer9", Assert.Throws<KeyNotFoundException>(() => FeatureMaps.Of(model, x, "layer9")).Message,
            StringComparison.Ordinal);
        Assert.Contains("layer2.0.bn1", Assert.Throws<KeyNotFoundException>(() => still["layer1"]).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Dilation_instead_of_stride_keeps_the_feature_map_size_and_the_parameters()
    {
        using var strided = new ResNet(ResNetConfig.ResNet50 with { Blocks = [1, 1, 2, 2], Width = 8 });
        using var dilated = new ResNet(strided.Config with { DilateInsteadOfStride = [false, true, true] });
        Assert.Equal([1, 256, 2, 2], strided.Features(randn(1, 3, 64, 64)).shape);
        Assert.Equal([1, 256, 8, 8], dilated.Features(randn(1, 3, 64, 64)).shape);
        Assert.Equal(strided.state_dict().Keys, dilated.state_dict().Keys);
    }

    [Fact]
    public void With_zero_initial_branches_a_block_starts_as_the_identity()
    {
        using var model = new ResNet(ResNetConfig.Nano with { Blocks = [2, 1, 1, 1], ZeroInitialBranches = true });
        model.eval();
        using var maps = FeatureMaps.Of(model, randn(1, 1, 28, 28), "maxpool", "layer1");
        Near.Check("layer1", maps["maxpool"], maps["layer1"], 0);
    }

    [Fact]
    public void Weights_are_initialized_as_published()
    {
        using var resnet = new ResNet(ResNetConfig.ResNet18);
        var weight = resnet.state_dict()["layer3.0.conv2.weight"];   // fan out 256 · 9
        Assert.Equal(Math.Sqrt(2.0 / (256 * 9)), weight.std().item<float>(), 3);
        using var inception = new InceptionV3(InceptionV3Config.InceptionV3 with { WidthDivisor = 4 });
        var state = inception.state_dict();
        Assert.Equal(0.1, state["Mixed_6b.branch7x7_2.conv.weight"].std().item<float>(), 2);
        Assert.Equal(0.01, state["AuxLogits.conv1.conv.weight"].std().item<float>(), 3);
        Assert.Equal(0.001, state["AuxLogits.fc.weight"].std().item<float>(), 4);
        using var vgg = new Vgg(VggConfig.Nano);
        Assert.Equal(0.01, vgg.state_dict()["classifier.0.weight"].std().item<float>(), 3);
        Assert.Equal(0, vgg.state_dict()["classifier.6.bias"].abs().max().item<float>());
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var vgg = new Vgg(VggConfig.Nano);
        Assert.Contains("[batch, 1, height, width]", Refused(() => vgg.call(randn(2, 3, 28, 28))), StringComparison.Ordinal);
        Assert.Contains("[28, 28]", Refused(() => vgg.call(randn(28, 28))), StringComparison.Ordinal);
        Assert.Contains("at least 8 × 8", Refused(() => vgg.call(randn(2, 1, 7, 28))), StringComparison.Ordinal);
        Assert.Contains("Groups 2", Refused(() => new ResNet(ResNetConfig.ResNet18 with { Groups = 2 })),
            StringComparison.Ordinal);
        Assert.Contains("[1, 2]", Refused(() => new ResNet(ResNetConfig.ResNet18 with { Blocks = [1, 2] })),
            StringComparison.Ordinal);
        Assert.Contains("Dropout is 1", Refused(() => new Vgg(VggConfig.Nano with { Dropout = 1 })), StringComparison.Ordinal);
        Assert.Contains("Stages is []", Refused(() => new Vgg(VggConfig.Nano with { Stages = [] })), StringComparison.Ordinal);
        Assert.Contains("WidthDivisor is 3", Refused(() => new GoogLeNet(GoogLeNetConfig.Nano with { WidthDivisor = 3 })),
            StringComparison.Ordinal);
        Assert.Contains("InputChannels is 1", Refused(() => new GoogLeNet(GoogLeNetConfig.Nano with { TransformInput = true })),
            StringComparison.Ordinal);
        Assert.Contains("Classes is -1", Refused(() => new InceptionV3(InceptionV3Config.Nano with { Classes = -1 })),
            StringComparison.Ordinal);
        using var inception = new InceptionV3(InceptionV3Config.Nano);
        Assert.Contains("at least 75 × 75", Refused(() => inception.call(randn(2, 3, 74, 80))), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static (nn.Module<Tensor, Tensor> Model, Func<Tensor, Tensor> Features, Func<Tensor, Tensor> Head,
        Tensor X) Make(string family)
    {
        switch (family)
        {
            case "resnet":
                var resnet = new ResNet(ResNetConfig.Nano with { Width = 8 });
                return (resnet, resnet.Features, resnet.Head, randn(4, 1, 28, 28));
            case "bottleneck":
                var bottleneck = new ResNet(ResNetConfig.ResNet50 with
                {
                    Blocks = [1, 1, 1, 1],
                    Classes = 5,
                    Width = 8,
                    Groups = 2,
                    WidthPerGroup = 32
                });
                return (bottleneck, bottleneck.Features, bottleneck.Head, randn(4, 3, 64, 64));
            case "vgg":
                var vgg = new Vgg(VggConfig.Nano with { Dropout = 0 });
                return (vgg, vgg.Features, vgg.Head, randn(4, 1, 28, 28));
            case "googlenet":
                var googlenet = new GoogLeNet(GoogLeNetConfig.Nano with { WidthDivisor = 8, Dropout = 0 });
                return (googlenet, googlenet.Features, googlenet.Head, randn(4, 1, 28, 28));
            default:
                var inception = new InceptionV3(InceptionV3Config.Nano with { WidthDivisor = 16, Dropout = 0 });
                return (inception, inception.Features, inception.Head, randn(4, 3, 96, 96));
        }
    }
}
