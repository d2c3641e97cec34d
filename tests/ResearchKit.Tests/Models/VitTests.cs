using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class VitTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("vit-a")]
    [InlineData("vit-b")]
    public void It_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Vit.FromPretrained(golden.Folder);
        using var cache = ActivationCache.Record(model);
        var logits = model.call(golden["in.pixel_values"]);
        golden.Check("out.logits", logits);
        var layers = model.Config.Layers;
        golden.CheckEach("out.hidden_states",
            [cache["vit.encoder.layer.0.hook_resid_pre"],
                .. cache.Each(layers, layer => $"vit.encoder.layer.{layer}.hook_resid_post")]);
        golden.CheckEach("out.attentions",
            cache.Each(layers, layer => $"vit.encoder.layer.{layer}.attention.attention.hook_pattern"));
        golden.CheckLoss(model, Losses.Labels(logits, golden["in.labels"]));
    }

    [Fact]
    public void Without_positions_the_order_of_the_patches_does_not_matter()
    {
        using var model = new Vit(VitConfig.Nano);
        using (no_grad()) model.state_dict()["vit.embeddings.position_embeddings"].zero_();
        var images = randn(2, 1, 28, 28);
        // the four rows of patches the other way round
        var upsideDown = images.view(2, 1, 4, 7, 28).flip(2).reshape(2, 1, 28, 28);
        Near.Check("logits", model.call(images), model.call(upsideDown), 1e-5);
    }

    [Fact]
    public void The_patch_embedding_equals_a_convolution()
    {
        using var model = new Vit(VitConfig.Nano with { Channels = 2, ImageSize = 15, PatchSize = 5, Layers = 1 });
        var weights = model.state_dict();
        using (no_grad()) weights["vit.embeddings.position_embeddings"].zero_();
        using var cache = ActivationCache.Record(model, name => name == "vit.embeddings.hook_embed");
        var images = randn(3, 2, 15, 15);
        model.call(images);
        var convolved = nn.functional.conv2d(images, weights["vit.embeddings.patch_embeddings.projection.weight"],
            weights["vit.embeddings.patch_embeddings.projection.bias"], [5L, 5L]);
        Near.Check("patches", convolved.flatten(2).transpose(1, 2), cache["vit.embeddings.hook_embed"][.., 1..], 1e-5);
    }

    [Fact]
    public void A_forward_pass_leaks_no_tensor()
    {
        using var model = new Vit(VitConfig.Nano with { Dropout = 0.1 });
        using var images = randn(2, 1, 28, 28);
        model.call(images).Dispose();
        var before = LiveTensors.Count;
        model.call(images).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = new Vit(VitConfig.Nano);
        Assert.Contains("[2, 3, 28, 28]; expected [batch, 1, 28, 28]", Refused(() => model.call(randn(2, 3, 28, 28))),
            StringComparison.Ordinal);
        Assert.Contains("[1, 28, 28]", Refused(() => model.call(randn(1, 28, 28))), StringComparison.Ordinal);
        Assert.Contains("ImageSize 30 is not divisible by PatchSize 7",
            Refused(() => new Vit(VitConfig.Nano with { ImageSize = 30 })), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;
}
