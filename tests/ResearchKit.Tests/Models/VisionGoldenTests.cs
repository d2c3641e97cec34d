using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>Each network for pictures with the reference's weights gives the reference's numbers.</summary>
[Trait("Tier", "slow")]
public sealed class VisionGoldenTests
{
    [Fact]
    public void ResNet18_equals_the_reference() => Check("resnet18-a", new ResNet(ResNetConfig.ResNet18 with { Classes = 10 }));

    [Fact]
    public void A_bottleneck_network_with_groups_equals_the_reference() => Check("resnet50-w8-b",
        new ResNet(ResNetConfig.ResNet50 with { Blocks = [1, 2, 2, 1], Classes = 7, Groups = 4, WidthPerGroup = 8 }));

    [Fact]
    public void Vgg11_equals_the_reference() => Check("vgg11-a", new Vgg(VggConfig.Vgg11 with { Classes = 10 }));

    [Fact]
    [Trait("Length", "long")]
    public void Vgg13_with_batch_norm_equals_the_reference() =>
        Check("vgg13bn-b", new Vgg(VggConfig.Vgg13BatchNorm with { Classes = 6 }));

    [Fact]
    public void GoogLeNet_equals_the_reference()
    {
        var model = new GoogLeNet(GoogLeNetConfig.GoogLeNet with { Classes = 10 });
        // torchvision's output record calls the lower head's logits aux_logits2.
        Check("googlenet-a", model, model.ForwardWithAuxiliary, "out.aux_logits2", "out.aux_logits1");
    }

    [Fact]
    public void GoogLeNet_with_transformed_input_equals_the_reference() => Check("googlenet-b",
        new GoogLeNet(new() { Classes = 5, AuxiliaryHeads = false, TransformInput = true }));

    [Fact]
    public void Inception_v3_equals_the_reference()
    {
        var model = new InceptionV3(InceptionV3Config.InceptionV3 with { Classes = 10 });
        Check("inception3-a", model, model.ForwardWithAuxiliary, "out.aux_logits");
    }

    [Fact]
    public void Inception_v3_with_transformed_input_equals_the_reference() => Check("inception3-b",
        new InceptionV3(new() { Classes = 6, AuxiliaryHead = false, TransformInput = true }));

    /// <summary>
    /// Outputs are compared in both precisions; gradients in float64, and in float32 with the activation pattern of float64.
    /// </summary>
    private static void Check(string name, nn.Module<Tensor, Tensor> model, Func<Tensor, AuxiliaryLogits>? withAuxiliary = null,
        params string[] auxiliary)
    {
        using var scope = NewDisposeScope();
        using var golden = new GoldenCase(name);
        using var pattern = new ActivationPattern();
        using var owned = model;
        golden.FillByRule(model);
        model.eval();
        var pictures = golden["in.pixel_values"];
        Assert.Equal(WeightRule.Sample(WeightRule.Hash(Input(golden)), 0), pictures[0, 0, 0, 0].item<float>(), 6);

        model.to(float64);
        CheckOutputs(golden, model, pictures.to(float64));
        using (pattern.Record(model)) CheckGradients(golden, model, pictures.to(float64));

        model.to(float32);
        CheckOutputs(golden, model, pictures);
        if (withAuxiliary is not null) CheckAuxiliary(golden, withAuxiliary(pictures), auxiliary);
        using (pattern.Impose(model)) CheckGradients(golden, model, pictures);
        Assert.InRange(pattern.Changed, 0, pattern.Count / 20_000);
    }

    private static void CheckOutputs(GoldenCase golden, nn.Module<Tensor, Tensor> model, Tensor pictures)
    {
        using var quiet = no_grad();
        string[] features = [.. golden.Names.Where(key => key.StartsWith("out.feature.", StringComparison.Ordinal))
            .Select(key => key["out.feature.".Length..])];
        using var maps = FeatureMaps.Of(model, pictures, features);
        foreach (var feature in features) golden.Check($"out.feature.{feature}", maps[feature]);
        golden.Check("out.logits", maps.Output);
    }

    private static void CheckGradients(GoldenCase golden, nn.Module<Tensor, Tensor> model, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var loss = nn.functional.cross_entropy(model.call(pictures), golden["in.labels"]);
        golden.Check("out.loss", loss);
        var parameters = model.named_parameters().Where(pair => golden.Has($"grad.{pair.name}")).ToList();
        Assert.Equal(golden.Names.Count(key => key.StartsWith("grad.", StringComparison.Ordinal)), parameters.Count);
        var gradients = GuardedGrad.Grad(loss, [.. parameters.Select(pair => pair.parameter)]);
        foreach (var (pair, gradient) in parameters.Zip(gradients)) golden.Check($"grad.{pair.name}", gradient);
    }

    private static string Input(GoldenCase golden) => golden.Settings().GetProperty("input_rule_name").GetString()!;

    private static void CheckAuxiliary(GoldenCase golden, AuxiliaryLogits logits, string[] names)
    {
        golden.Check("out.logits", logits.Logits);
        Assert.Equal(names.Length, logits.Auxiliary.Count);
        foreach (var (name, auxiliary) in names.Zip(logits.Auxiliary)) golden.Check(name, auxiliary);
    }
}
