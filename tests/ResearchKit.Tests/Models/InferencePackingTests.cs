using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

[Trait("Tier", "slow")]
public sealed class InferencePackingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();

    public void Dispose()
    {
        noGrad.Dispose();
        scope.Dispose();
    }

    public static TheoryData<string> Models => [.. PackableCase.All.Keys];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_packed_model_gives_the_outputs_of_the_original(string name)
    {
        var example = PackableCase.Named(name);
        using var model = example.Trained();
        using var packed = model.PackForInference();
        Assert.Same(model.GetType(), packed.GetType());
        Assert.False(packed.training);
        foreach (var (batch, more) in new[] { (2, 0), (1, 0), (5, 3), (2, 0) })
            Near(example.Of(model, batch, more), example.Of(packed, batch, more));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Packing_does_not_change_the_original_and_later_changes_do_not_affect_the_copy(string name)
    {
        var example = PackableCase.Named(name);
        using var model = example.Trained();
        model.train();
        var random = get_rng_state();
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var packed = model.PackForInference();
        Assert.True(random.Equals(get_rng_state()));
        Assert.True(model.training);
        foreach (var (key, tensor) in model.state_dict()) Assert.True(before[key].Equals(tensor), key);

        var expected = example.Of(packed);
        foreach (var parameter in model.parameters()) parameter.fill_(0.01);
        foreach (var buffer in model.buffers().Where(buffer => buffer.is_floating_point())) buffer.fill_(0.02);
        Assert.True(expected.Equals(example.Of(packed)));
    }

    [Theory]   // one for each kind of packed layer: each needs full collections, which take seconds
    [InlineData("Vgg, batch norm")]
    [InlineData("T5, gated and untied")]
    [InlineData("RecurrentClassifier")]
    public void No_tensor_leaks(string name)
    {
        var example = PackableCase.Named(name);
        using var model = example.Trained();
        var after = LeftBy(example.Make);   // TorchSharp counts a tensor and the parameter that is made of it as two
        Assert.Equal(after, LeftBy(() => model.PackForInference()));

        using var packed = model.PackForInference();
        example.Of(packed);
        var before = LiveTensors.Count;
        using (NewDisposeScope()) example.Of(packed);
        Assert.Equal(before, LiveTensors.Count);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void The_bfloat16_error_is_comparable_to_that_of_autocast(string name)
    {
        if (!Autocast.IsSupported) return;
        var example = PackableCase.Named(name);
        using var model = example.Trained();
        const int batch = 16;
        var expected = example.Of(model, batch);
        double Off(Tensor result) => ((result.to(float32) - expected).norm() / expected.norm()).item<float>();
        double mixed;
        using (new Autocast(DeviceType.CPU, ScalarType.BFloat16)) mixed = Off(example.Of(model, batch));
        using var faked = new FakedInstructions(true);
        using var packed = model.PackForInference(ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, packed.Packing!.DType);
        // A quarter more: both round as often, in other places, so that errors differ by chance; and less than one rounding of
        // bfloat16 is no difference.
        Assert.InRange(Off(example.Of(packed, batch)), 0, Math.Max(1.25 * mixed, 1.0 / 256));
    }

    [Fact]
    public void A_model_can_be_packed_without_oneDNN()
    {
        using var kernels = new TestKernels("");
        try
        {
            TestKernels.Take("convolution=columns");
            foreach (var name in new[] { "ResNet", "InceptionV3", "Vgg, batch norm" })
            {
                var example = PackableCase.Named(name);
                using var model = example.Trained();
                using var packed = model.PackForInference();
                Near(example.Of(model), example.Of(packed));
                Assert.Contains("libtorch", packed.Packing!.ToString(), StringComparison.Ordinal);
                Assert.DoesNotContain("fused", packed.Packing!.ToString(), StringComparison.Ordinal);
            }
        }
        finally
        {
            kernels.Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Tiny_images_work_even_if_oneDNN_has_no_kernel_for_them(int side)
    {
        using var model = new ResNet(ResNetConfig.ResNet18 with { Classes = 10 });
        model.eval();
        using var packed = model.PackForInference();
        var images = randn(2, 3, side, side);
        Near(model.call(images), packed.call(images));
    }

    [Fact]
    public void A_packed_model_does_not_keep_the_unpacked_weights()
    {
        using var model = new ResNet(ResNetConfig.ResNet50 with { Blocks = [1, 1, 1, 1], Classes = 10 });
        using var packed = model.PackForInference();
        Assert.All(packed.named_parameters().Where(pair => pair.parameter.dim() == 4), pair =>
            Assert.All(pair.parameter.shape.Zip(pair.parameter.stride()),
            axis => Assert.True(axis.First == 1 || axis.Second == 0, pair.name)));
    }

    [Fact]
    public void Generation_writes_the_same_tokens()
    {
        manual_seed(1);
        foreach (var model in new ILanguageModel[] { new Gpt(GptConfig.Nano), new Llama(LlamaConfig.Nano) })
        {
            var options = SamplingOptions.Greedy with { MaximumTokens = 40 };   // beyond the context length
            var packed = (ILanguageModel)model.Network.PackForInference();
            Assert.Equal(model.Generate([1, 2, 3], options).Select(token => token.Id),
                packed.Generate([1, 2, 3], options).Select(token => token.Id));
            model.Network.Dispose();
            packed.Network.Dispose();
        }
        using var t5 = new T5(T5Config.Nano);
        using var packedT5 = t5.PackForInference();
        var sources = randint(2, 60, [2, 6], int64);
        Assert.True(t5.GenerateBatch(sources, SamplingOptions.Greedy with { MaximumTokens = 8 }).Tokens
            .Equals(packedT5.GenerateBatch(sources, SamplingOptions.Greedy with { MaximumTokens = 8 }).Tokens));
    }

    [Fact]
    public void Masks_and_features_work_as_in_the_original()
    {
        manual_seed(1);
        using var model = new Bert(BertConfig.Nano);
        model.eval();
        using var packed = model.PackForInference();
        var tokens = randint(0, 60, [2, 5], int64);
        var mask = tensor(new long[,] { { 1, 1, 1, 0, 0 }, { 1, 1, 1, 1, 1 } });
        Near(model.Features(tokens, mask), packed.Features(tokens, mask));
        using var network = new ResNet(ResNetConfig.Nano);
        network.eval();
        using var packedNetwork = network.PackForInference();
        var images = randn(2, ResNetConfig.Nano.InputChannels, 28, 28);
        Near(network.Features(images), packedNetwork.Features(images));
    }

    [Fact]
    public void A_model_can_be_packed_twice_and_the_copies_are_independent()
    {
        var example = PackableCase.Named("ResNet");
        using var model = example.Trained();
        var first = model.PackForInference();
        using var second = model.PackForInference();
        var expected = example.Of(first);
        first.Dispose();
        Assert.True(expected.Equals(example.Of(second)));
    }

    [Fact]
    public void Threads_can_share_a_packed_model()
    {
        foreach (var name in new[] { "ResNet", "Gpt", "TokenMixingModel, experts" })
        {
            var example = PackableCase.Named(name);
            using var model = example.Trained();
            using var packed = model.PackForInference();
            manual_seed(3);
            nn.Module<Tensor, Tensor> network = (nn.Module<Tensor, Tensor>)packed;
            var input = name == "ResNet" ? randn(2, ResNetConfig.Nano.InputChannels, 28, 28) : randint(0, 60, [2, 7], int64);
            var expected = network.call(input);
            var equal = new bool[4];
            var threads = equal.Select((_, number) => new Thread(() =>
            {
                using var quiet = no_grad();
                using var own = NewDisposeScope();
                equal[number] = Enumerable.Range(0, 20)
                    .All(_ => (network.call(input) - expected).abs().max().item<float>() <= 1e-5f
                    * expected.abs().max().item<float>());
            })).ToList();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) thread.Join();
            Assert.All(equal, Assert.True);
        }
    }

    [Fact]
    public void An_empty_batch_gives_an_empty_result()
    {
        using var network = new ResNet(ResNetConfig.Nano).PackForInference();
        Assert.Equal([0, ResNetConfig.Nano.Classes], network.call(zeros(0, ResNetConfig.Nano.InputChannels, 28, 28)).shape);
        using var bert = new Bert(BertConfig.Nano, withPooler: false).PackForInference();
        Assert.Equal([0, 5, BertConfig.Nano.ModelWidth], bert.call(zeros([0, 5], int64)).shape);
    }

    [Fact]
    public void Packing_lists_the_layers_with_kernels_and_bytes()
    {
        using var model = new ResNet(ResNetConfig.Nano);
        Assert.Null(model.Packing);
        using var packed = model.PackForInference();
        var packing = packed.Packing!;
        Assert.Equal(packed.modules().Count(module => module is Convolution2d or Dense), packing.Layers.Count);
        Assert.Contains(packing.Layers, layer => layer.Name == "layer1.0.conv1" && layer.Bytes > 0 && layer.Kernel != "");
        Assert.Equal(packing.Layers.Sum(layer => layer.Bytes), packing.Bytes);
    }

    [Fact]
    public void A_model_on_the_meta_device_can_be_packed()
    {
        using var model = new ResNet(ResNetConfig.Nano);
        model.to(new Device("meta"));
        using var packed = model.PackForInference();
        var result = packed.call(zeros([2, ResNetConfig.Nano.InputChannels, 28, 28], device: new Device("meta")));
        Assert.Equal([2, ResNetConfig.Nano.Classes], result.shape);
    }

    private static long LeftBy(Func<nn.Module> make)
    {
        var before = LiveTensors.Count;
        make().Dispose();
        return LiveTensors.Count - before;
    }

    private static void Near(Tensor expected, Tensor got)
    {
        Assert.Equal(expected.shape, got.shape);
        var (largest, off) = (expected.abs().max().item<float>(), (got - expected).abs().max().item<float>());
        Assert.True(off <= 1e-5 * largest, $"off by {off}; the largest number is {largest}");
    }

    /// <summary>While this is alive the processor is said to have bfloat16 instructions, or none.</summary>
    internal sealed class FakedInstructions : IDisposable
    {
        private readonly bool before = Processor.MultipliesBFloat16;

        public FakedInstructions(bool are) => Processor.MultipliesBFloat16 = are;

        public void Dispose() => Processor.MultipliesBFloat16 = before;
    }
}
