using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Optimizers;
using ResearchKit.Scaling;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Scaling;

public class MemoryEstimateTests
{
    private static readonly GptConfig Small = GptConfig.Character with { ModelWidth = 64, Layers = 2 };

    private static readonly BertConfig SmallBert = BertConfig.Nano with
    {
        VocabularySize = 100,
        ModelWidth = 64,
        Heads = 4,
        ContextLength = 64,
        Dropout = 0
    };

    public static TheoryData<string> Models =>
        ["gpt", "gpt with dropout", "gpt recomputed", "gpt in bfloat16", "gpt with variations", "bert", "bert recomputed",
        "resnet", "lstm"];

    // The C library's count is that of another program than the estimate. 5 % is what the estimate promises. It counts the whole
    // process, so that nothing may run beside: the long tests run alone.
    [SkippableTheory]
    [Trait("Length", "long")]
    [MemberData(nameof(Models))]
    public void What_a_forward_pass_keeps_is_what_the_C_library_allocates(string name)
    {
        Skip.IfNot(NativeHeap.IsKnown);
        var precision = name.Contains("bfloat16", StringComparison.Ordinal) ? Precision.BFloat16 : Precision.Full;
        Skip.If(precision != Precision.Full && !Autocast.IsSupported);
        long[] shape = name == "resnet" ? [8, 3, 64, 64] : [32, 64];
        var estimate = MemoryEstimate.Of(() => Make(name), shape, new() { Precision = precision });
        using var model = Make(name);
        using var input = shape.Length == 2 ? randint(0, 60, shape, int64) : randn(shape);
        Kept(model, input, precision);   // what is allocated once
        var kept = Enumerable.Range(0, 3).Select(_ => Kept(model, input,
            precision)).Order().ElementAt(1);   // others allocate too
        var error = (double)estimate.Activations / kept - 1;
        Assert.True(Math.Abs(error) < 0.05, $"Estimated {estimate.Activations:N0} bytes, allocated {kept:N0}: {error:P1}.");
    }

    private static nn.Module<Tensor, Tensor> Make(string name) => name switch
    {
        "gpt with dropout" => new Gpt(Small with { Dropout = 0.1 }),
        "gpt recomputed" => new Gpt(Small) { RecomputesBlocks = true },
        "gpt with variations" => new Gpt(Small with
        {
            Activation = ResearchKit.Layers.Activation.SquaredRelu,
            TieEmbeddings = false,
            Variations = new() { NormalizesQueriesAndKeys = true, LogitSoftCap = 15 },
        }),
        "bert" => new Bert(SmallBert, withPooler: false),
        "bert recomputed" => new Bert(SmallBert, withPooler: false) { RecomputesBlocks = true },
        "resnet" => new ResNet(ResNetConfig.ResNet18),
        "lstm" => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterLstm with { HiddenWidth = 128 }),
        _ => new Gpt(Small),
    };

    private static long Kept(nn.Module<Tensor, Tensor> model, Tensor input, Precision precision)
    {
        using var scope = NewDisposeScope();
        model.train();
        using var targets = input.dim() == 2 ? zeros_like(input) : zeros([input.shape[0]], int64);
        var before = NativeHeap.Settled();
        Tensor output;
        using (precision == Precision.Full ? null : new Autocast(DeviceType.CPU, bfloat16)) output = model.call(input);
        if (output.dtype != float32) output = output.to(float32);
        var loss = Losses.CrossEntropy(output, targets);
        var kept = NativeHeap.Settled() - before;
        loss.backward();
        model.zero_grad();
        return kept;
    }

    [Fact]
    public void Weights_gradients_and_the_state_of_the_optimizer_are_exact()
    {
        using var model = new Gpt(Small);
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        var adam = MemoryEstimate.Of(model, [4, 16]);
        Assert.Equal(4 * parameters, adam.Weights);
        Assert.Equal(4 * parameters, adam.Gradients);
        using var optimizer = new FusedAdamW(model.named_parameters().Select(pair => (pair.name, pair.parameter)));
        Assert.Equal(optimizer.State().Values.Sum(tensor => tensor.numel() * tensor.element_size()), adam.OptimizerState);
        var codes = MemoryEstimate.Of(model, [4, 16], new() { Optimizer = new AdamW8bitOptions() });
        Assert.InRange(codes.OptimizerState, 2 * parameters, 3 * parameters);
    }

    [Fact]
    public void Accumulation_keeps_the_gradients_while_the_next_batch_is_read()
    {
        using var model = new Gpt(Small);
        var one = MemoryEstimate.Of(model, [4, 16]);
        var two = MemoryEstimate.Of(model, [4, 16], new() { Accumulation = 2 });
        Assert.Equal(one.AfterForward + one.Gradients + one.Batch, two.AfterForward);
        Assert.True(two.Peak > one.Peak);
    }

    [Fact]
    public void Recomputed_blocks_lower_the_peak()
    {
        using var model = new Gpt(Small with { Layers = 6 });
        var plain = MemoryEstimate.Of(model, [16, 64]);
        model.RecomputesBlocks = true;
        var again = MemoryEstimate.Of(model, [16, 64]);
        Assert.True(again.Peak < plain.Peak * 0.6, $"{again}\n{plain}");
    }
}
