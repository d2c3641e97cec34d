using ResearchKit.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Layers;

public sealed class ModuleSummaryTests
{
    [Fact]
    public void Parameters_trainable_parameters_and_memory_are_counted()
    {
        using var model = Sequential(("first", Linear(3, 4)), ("second", Linear(4, 2, hasBias: false)));
        foreach (var (_, parameter) in model.named_children().First().module.named_parameters()) parameter.requires_grad = false;
        var summary = ModuleSummary.Of(model);
        Assert.Equal((24, 8, 96), (summary.ParameterCount, summary.TrainableCount, summary.Bytes));
        Assert.Equal(["first", "second"], summary.Children.Select(child => child.Name));
        Assert.Equal("weight [4 × 3]", summary.Children[0].Own[0].ToString());
        Assert.Equal("Sequential: 24 parameters, 8 trainable, 96 bytes", summary.ToString());
    }

    [Fact]
    public void A_tied_parameter_is_counted_once()
    {
        using var model = new Tied();
        var summary = ModuleSummary.Of(model);
        Assert.Equal(20, summary.ParameterCount);
        Assert.Equal([false, true], summary.Children.SelectMany(child => child.Own).Select(own => own.IsShared));
    }

    [Fact]
    public void Buffers_count_as_memory_but_not_as_parameters()
    {
        using var model = BatchNorm1d(3);
        var summary = ModuleSummary.Of(model);
        Assert.Equal((6, 3), (summary.ParameterCount, summary.Buffers.Count));
        Assert.Equal((12 * 4) + 8, summary.Bytes);
    }

    [Fact]
    public void A_module_that_lacks_RegisterComponents_gets_a_hint()
    {
        using var model = new Forgetful();
        Assert.Contains("RegisterComponents()", ModuleSummary.Of(model).Hint, StringComparison.Ordinal);
        using var plain = GELU();
        Assert.Null(ModuleSummary.Of(plain).Hint);
    }

    [Fact]
    public void A_forward_pass_adds_shapes_FLOPs_and_activations()
    {
        using var model = Sequential(("first", Linear(8, 16)), ("second", ReLU(inplace: true)), ("third", Linear(16, 2)));
        model.train();
        var summary = ModuleSummary.Of(model, [5, 8]);
        Assert.Equal([5, 2], summary.Call!.OutputShape);
        Assert.Equal(2.0 * 5 * ((8 * 16) + (16 * 2)), summary.Call.Flops);
        Assert.Equal([2.0 * 5 * 8 * 16, 0, 2.0 * 5 * 16 * 2], summary.Children.Select(child => child.Call!.Flops));
        Assert.Equal([4L * 5 * 16, 0, 4 * 5 * 2], summary.Children.Select(child => child.ActivationBytes));   // ReLU is in place
        Assert.Equal(4 * 5 * 18, summary.ActivationBytes);
        Assert.True(model.training);
        Assert.EndsWith("output [5, 2], 1,600 FLOPs, 360 bytes of activations", summary.ToString(), StringComparison.Ordinal);
        Assert.Null(ModuleSummary.Of(model).Call);
    }

    [Fact]
    public void Blocks_count_their_matrices_and_their_attention()
    {
        using var scope = NewDisposeScope();
        using var model = new ResearchKit.Models.Gpt(ResearchKit.Models.GptConfig.Nano);
        var tokens = zeros([2, 8], int64);
        var summary = ModuleSummary.Of(model, tokens);
        Assert.Equal(FlopCounter.Of(model, () => model.call(tokens)), summary.Call!.Flops);
        var config = ResearchKit.Models.GptConfig.Nano;
        double width = config.ModelWidth;
        var blocks = All(summary).Where(module => module.Children.Any(child => child.Name == "attn")).ToList();
        Assert.Equal(config.Layers, blocks.Count);
        Assert.All(blocks, block =>
        {
            // matrices, and attention over 8 tokens
            Assert.Equal(2 * 8 * ((24 * width * width) + (4 * 8 * width)), block.Call!.Flops);
            Assert.Equal([2, 8, config.ModelWidth], block.Call.OutputShape);
        });
        Assert.True(summary.ActivationBytes > blocks.Count * 2 * 8 * config.ModelWidth * 4);

        static IEnumerable<ModuleSummary> All(ModuleSummary module) => module.Children.SelectMany(All).Prepend(module);
    }

    [Fact]
    public void A_module_on_the_meta_device_is_summarized_without_leaking_tensors()
    {
        using var model = Linear(1000, 1000, device: new Device(DeviceType.META));
        _ = ModuleSummary.Of(model);   // the module hands out its wrappers once
        var before = LiveTensors.Count;
        Assert.Equal(1_001_000, ModuleSummary.Of(model).ParameterCount);
        Assert.Equal(before, LiveTensors.Count);
    }

    private sealed class Tied : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear inner = Linear(4, 5, hasBias: false);
        private readonly TorchSharp.Modules.Linear outer = Linear(4, 5, hasBias: false);

        public Tied() : base(nameof(Tied))
        {
            outer.weight = inner.weight;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => outer.call(inner.call(input));
    }

    private sealed class Forgetful() : Module<Tensor, Tensor>(nameof(Forgetful))
    {
        private readonly TorchSharp.Modules.Linear part = Linear(2, 2);

        public override Tensor forward(Tensor input) => part.call(input);
    }
}
