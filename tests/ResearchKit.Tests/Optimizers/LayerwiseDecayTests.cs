using ResearchKit.Models;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

public sealed class LayerwiseDecayTests
{
    private static double Factor(IReadOnlyList<ParameterGroup> groups, nn.Module model, string name)
    {
        var parameter = model.named_parameters().Single(pair => pair.name == name).parameter;
        return groups.Single(group => group.Holds(name, parameter)).LearningRateFactor;
    }

    [Fact]
    public void Each_layer_has_a_lower_rate_than_the_layer_above_it()
    {
        using var model = new Gpt(GptConfig.Nano with { Layers = 3 });
        var groups = LayerwiseDecay.Of(model, 0.5);
        Assert.Equal(1.0 / 16, Factor(groups, model, "wte.weight"), 12);
        Assert.Equal(1.0 / 8, Factor(groups, model, "h.0.attn.c_attn.weight"), 12);
        Assert.Equal(1.0 / 2, Factor(groups, model, "h.2.mlp.c_fc.weight"), 12);
        Assert.Equal(1, Factor(groups, model, "ln_f.weight"), 12);
        Assert.Throws<ArgumentException>(() => LayerwiseDecay.Of(model, 1.5));
    }

    [Fact]
    public void In_a_ResNet_earlier_stages_have_lower_rates()
    {
        using var model = new ResNet(ResNetConfig.Nano);
        var groups = LayerwiseDecay.Of(model, 0.9);
        Assert.Equal(1, Factor(groups, model, "fc.weight"), 12);
        Assert.True(Factor(groups, model, "conv1.weight") < Factor(groups, model, "layer1.0.conv1.weight"));
        Assert.True(Factor(groups, model, "layer1.0.conv1.weight") < Factor(groups, model, "layer2.0.conv1.weight"));
    }
}
