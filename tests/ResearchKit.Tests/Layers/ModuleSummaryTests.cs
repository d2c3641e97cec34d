using ResearchKit.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Layers;

public sealed class ModuleSummaryTests
{
    [Fact]
    public void Parameters_are_counted_with_their_memory_and_what_is_frozen()
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
    public void Buffers_take_memory_but_are_no_parameters()
    {
        using var model = BatchNorm1d(3);
        var summary = ModuleSummary.Of(model);
        Assert.Equal((6, 3), (summary.ParameterCount, summary.Buffers.Count));
        Assert.Equal((12 * 4) + 8, summary.Bytes);
    }

    [Fact]
    public void A_module_that_forgot_to_register_its_parts_gets_a_hint()
    {
        using var model = new Forgetful();
        Assert.Contains("RegisterComponents()", ModuleSummary.Of(model).Hint, StringComparison.Ordinal);
        using var plain = GELU();
        Assert.Null(ModuleSummary.Of(plain).Hint);
    }

    [Fact]
    public void A_module_on_the_meta_device_is_summarised_and_no_tensor_is_left_behind()
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
