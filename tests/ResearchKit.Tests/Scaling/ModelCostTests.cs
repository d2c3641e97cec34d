using ResearchKit.Models;
using ResearchKit.Scaling;
using static ResearchKit.Tests.Scaling.GoldenScaling;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Scaling;

public class ModelCostTests
{
    [Theory]
    [InlineData("gpt2_small")]
    [InlineData("gpt2_medium")]
    public void Parameters_and_operations_of_Gpt2_are_those_of_the_reference(string name)
    {
        var golden = At("language_models", name);
        var config = name == "gpt2_small" ? GptConfig.Gpt2 : GptConfig.Gpt2Medium;
        var cost = ModelCost.Of(() => new Gpt(config), 1, 1024);
        Assert.Equal(golden.Number("n_params"), cost.Parameters.Total);
        Assert.Equal(golden.GetProperty("breakdown").Number("per_block"), cost.At("h.0").Parameters.Total);
        Assert.Equal(golden.GetProperty("breakdown").Number("token_embedding"), cost.At("wte").Parameters.Embedding);
        Assert.Equal(golden.GetProperty("breakdown").Number("position_embedding"), cost.At("wpe").Parameters.Embedding);
        Assert.Equal(golden.GetProperty("breakdown").Number("final_layer_norm"), cost.At("ln_f").Parameters.Norms);

        var exact = golden.GetProperty("flops").GetProperty("exact_matmul_forward_per_token");
        var each = cost.OperationsPerPosition;
        Assert.Equal(exact.Number("total"), each.Forward);
        Assert.Equal(exact.Number("total_causal_half_attention"), each.CausalForward);
        Assert.Equal(exact.Number("attention_scores_and_values_full"), each.Attention);
        Assert.Equal(exact.Number("lm_head"), cost.HeadOperations / 1024);
        Assert.Equal(exact.Number("block_linears"), each.Linear - (cost.HeadOperations / 1024));
        Assert.Equal(golden.GetProperty("flops").Number("forward_per_sequence_exact"), cost.Operations.Forward);
        Assert.Equal(2 * each.Forward, each.Backward);
        var estimated = cost.Parameters.Total - cost.At("wpe").Parameters.Total;
        Assert.Equal(golden.GetProperty("flops").Number("palm_forward_per_token"), TransformerOperations.Forward(
            estimated, config.Layers, config.Heads, config.ModelWidth / config.Heads, 1024));
        Assert.Equal(golden.GetProperty("flops").Number("nanogpt_flops_per_token_fwd_bwd"), TransformerOperations.Training(
            estimated, config.Layers, config.Heads, config.ModelWidth / config.Heads, 1024));
    }

    [Fact]
    public void A_generated_token_costs_its_products_and_its_attention()
    {
        var cost = ModelCost.Of(() => new Gpt(GptConfig.Gpt2), 1, 8);
        Assert.Equal(169_869_312 + 77_194_752, cost.Generation!.Fixed);
        Assert.Equal(4 * 768 * 12, cost.Generation.PerCachedToken);
        Assert.Equal(2L * 12 * 768 * 4 * 100, cost.Generation.CacheBytes(100));
        Assert.Equal(2L * 12 * 768 * 2 * 100 * 3, cost.Generation.CacheBytes(100, batch: 3, bytesPerNumber: 2));
    }

    [Theory]
    [InlineData("resnet18", 224)]
    [InlineData("resnet50", 224)]
    [InlineData("vgg16", 224)]
    [InlineData("inception_v3_aux", 299)]
    [InlineData("googlenet_aux", 224)]
    public void Multiply_adds_of_vision_models_are_those_of_the_reference(string name, int side)
    {
        var golden = At("vision_models", name);
        var cost = ModelCost.Of(Vision(name), 1, 3, side, side);
        Assert.Equal(golden.Number("n_params"), cost.Parameters.Total);
        Assert.Equal(golden.Number("conv_macs"), cost.Operations.Convolution / 2);
        Assert.Equal(golden.Number("linear_macs"), cost.Operations.Linear / 2);
        Assert.Equal(golden.Number("total_macs"), cost.Operations.MultiplyAdds);
        Assert.Equal(golden.Number("n_buffers"), cost.Parameters.Buffers);
    }

    private static Func<nn.Module<Tensor, Tensor>> Vision(string name) => name switch
    {
        "resnet18" => () => new ResNet(ResNetConfig.ResNet18),
        "resnet50" => () => new ResNet(ResNetConfig.ResNet50),
        "vgg16" => () => new Vgg(VggConfig.Vgg16),
        "inception_v3_aux" => () => new InceptionV3(new InceptionV3Config { Classes = 1000 }),
        _ => () => new GoogLeNet(new GoogLeNetConfig { Classes = 1000 }),
    };

    [Fact]
    public void A_first_convolution_needs_no_gradient_of_the_image()
    {
        var cost = ModelCost.Of(() => new ResNet(ResNetConfig.ResNet18), 1, 3, 224, 224);
        var first = cost.At("conv1").Operations.Forward;
        Assert.Equal((2 * cost.Operations.Forward) - first, cost.Operations.Backward);
    }

    [Fact]
    public void A_frozen_weight_needs_one_product_in_the_backward_pass()
    {
        using var model = new Gpt(GptConfig.Nano);
        foreach (var (name, parameter) in model.named_parameters())
            if (name.Contains("mlp", StringComparison.Ordinal)) parameter.requires_grad = false;
        var mlp = ModelCost.Of(model, 1, 16).At("h.1.mlp").Operations;
        Assert.Equal(mlp.Forward, mlp.Backward);
    }

    [Fact]
    public void Recomputed_blocks_run_forward_twice()
    {
        using var model = new Gpt(GptConfig.Nano);
        var plain = ModelCost.Of(model, 1, 16);
        model.RecomputesBlocks = true;
        var again = ModelCost.Of(model, 1, 16);
        Assert.Equal(plain.Operations.Forward, again.Operations.Forward);
        Assert.Equal(plain.Operations.Forward - plain.HeadOperations, again.Operations.Recomputed);
        Assert.Equal(plain.Operations.Backward, again.Operations.Backward);
    }

    [Fact]
    public void A_module_that_cannot_run_without_numbers_is_named()
    {
        var error = Assert.Throws<InvalidOperationException>(() => ModelCost.Of(() => new ReadsNumbers(), 2, 3));
        Assert.Contains("inner (ReadsOneNumber) cannot run on the meta device", error.Message, StringComparison.Ordinal);
    }

    private sealed class ReadsNumbers : nn.Module<Tensor, Tensor>
    {
        private readonly ReadsOneNumber inner = new();

        public ReadsNumbers() : base(nameof(ReadsNumbers)) => RegisterComponents();

        public override Tensor forward(Tensor x) => inner.call(x);
    }

    private sealed class ReadsOneNumber : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear linear = nn.Linear(3, 3);

        public ReadsOneNumber() : base(nameof(ReadsOneNumber)) => RegisterComponents();

        public override Tensor forward(Tensor x) => linear.call(x) * x.sum().item<float>();
    }

    [Fact]
    public void No_tensor_is_left_alive()
    {
        using var model = new Gpt(GptConfig.Nano);
        ModelCost.Of(model, 1, 16);
        var before = LiveTensors.Count;
        ModelCost.Of(model, 1, 16);
        MemoryEstimate.Of(model, [2, 16]);
        Assert.Equal(before, LiveTensors.Count);
    }
}
