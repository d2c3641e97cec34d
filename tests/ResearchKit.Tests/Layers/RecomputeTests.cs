using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>Activation checkpointing: the same bits for less memory, in every model that has it.</summary>
[Trait("Tier", "slow")]
public sealed class RecomputeTests
{
    private const int Layers = 4, Time = 16;

    private sealed record Case(nn.Module Model, Action<bool> Recompute, Func<Tensor> Say);

    private static readonly Dictionary<string, Func<int, Case>> Cases = new()
    {
        ["Gpt"] = batch => OfGpt(GptConfig.Nano, batch, padded: false),
        ["Gpt, padded"] = batch => OfGpt(GptConfig.Nano, batch, padded: true),
        ["Gpt, ALiBi"] = batch => OfGpt(GptConfig.Nano with { Positions = Positions.Alibi }, batch, padded: true),
        ["Llama"] = batch => OfLlama(batch, padded: false),
        ["Llama, padded"] = batch => OfLlama(batch, padded: true),
        ["Bert for masked words"] = batch =>
        {
            var model = new BertForMaskedLanguageModel(BertConfig.Nano with { Layers = Layers, Dropout = 0.3 });
            return new(model, on => model.Bert.RecomputesBlocks = on, () => model.Logits(Tokens(batch), Mask(batch)));
        },
        ["Bert for texts"] = batch =>
        {
            var model = new BertForSequenceClassification(BertConfig.Nano with { Layers = Layers, Dropout = 0.3 });
            return new(model, on => model.Bert.RecomputesBlocks = on, () => model.Logits(Tokens(batch), Mask(batch)));
        },
        ["Bert for tokens"] = batch =>
        {
            var model = new BertForTokenClassification(BertConfig.Nano with { Layers = Layers, Dropout = 0.3 });
            return new(model, on => model.Bert.RecomputesBlocks = on, () => model.call(Tokens(batch)));
        },
        ["T5"] = batch =>
        {
            var model = new T5(T5Config.Nano with { Layers = Layers, DecoderLayers = Layers, Dropout = 0.3 });
            return new(model, on => model.RecomputesBlocks = on, () => model.Logits(Tokens(batch), Tokens(batch), Mask(batch)));
        },
        ["Vit"] = batch =>
        {
            var model = new Vit(VitConfig.Nano with { Layers = Layers, Dropout = 0.3 });
            var config = model.Config;
            return new(model, on => model.RecomputesBlocks = on,
                () => model.call(linspace(-1, 1, batch * config.Channels * config.ImageSize * config.ImageSize)
                .view(batch, config.Channels, config.ImageSize, config.ImageSize)));
        },
    };

    public static TheoryData<string> Models => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_are_bit_identical_even_with_dropout_and_mixed_precision(string name)
    {
        float[] Gradients(bool recompute, bool mixed)
        {
            using var scope = NewDisposeScope();
            var (model, ask, say) = Make(name, 2);
            using var gone = model;
            ask(recompute);
            Compute.Seed(2);
            using (mixed ? new Autocast(DeviceType.CPU, ScalarType.BFloat16) : null) say().to(float32).square().mean().backward();
            Assert.Equal([], model.named_parameters().Where(pair => pair.parameter.grad is null).Select(pair => pair.name));
            var after = rand(1).item<float>();   // what is drawn next is the same too
            return [.. model.parameters().SelectMany(parameter => parameter.grad!.data<float>().ToArray()), after];
        }
        foreach (var mixed in Autocast.IsSupported ? new[] { false, true } : [false])
            Assert.Equal(Gradients(false, mixed), Gradients(true, mixed));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void In_evaluation_mode_outputs_are_bit_identical(string name)
    {
        using var scope = NewDisposeScope();
        var (model, ask, say) = Make(name, 2);
        model.eval();
        float[] Said(bool forGradients)
        {
            using var mode = set_grad_enabled(forGradients);
            return say().data<float>().ToArray();
        }
        var (withGradients, without) = (Said(true), Said(false));
        ask(true);
        Assert.Equal(withGradients, Said(true));
        Assert.Equal(without, Said(false));
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void Less_memory_is_kept_between_the_forward_and_the_backward_pass(string name)
    {
        Skip.IfNot(NativeHeap.IsKnown, "This C library does not say how much memory is in use.");
        using var scope = NewDisposeScope();
        var (model, ask, say) = Make(name, 32);
        using var gone = model;
        long Held()
        {
            using var inner = NewDisposeScope();
            var before = NativeHeap.Bytes();
            var loss = say().square().mean();
            var held = NativeHeap.Bytes() - before;
            loss.backward();
            return held;
        }
        // The runtime's compiler works beside us and takes memory too, for a moment: the middle of three.
        long Usually() => Enumerable.Range(0, 3).Select(_ => Held()).Order().ElementAt(1);
        NativeHeap.Settled();   // what earlier tests left is gone; what follows leaves nothing
        var kept = Usually();
        ask(true);
        Assert.InRange(Usually(), -kept / 4, kept / 2);   // other threads free memory meanwhile
    }

    [Fact]
    public void Inputs_get_gradients_and_null_and_gradient_free_inputs_are_passed_through()
    {
        using var scope = NewDisposeScope();
        var (x, y, mask) = (ones(3).requires_grad_(), ones(3).requires_grad_(), tensor(new[] { true, false, true }));
        var said = Recompute.Call(inputs =>
        {
            Assert.Null(inputs[1]);
            Assert.Equal(ScalarType.Bool, inputs[3]!.dtype);
            return (inputs[0]! * 2 + inputs[2]! * inputs[2]! * 3) * inputs[3]!;
        }, x, null, y, mask);
        said.sum().backward();
        Assert.Equal([2, 0, 2], x.grad!.data<float>().ToArray());
        Assert.Equal([6, 0, 6], y.grad!.data<float>().ToArray());
    }

    /// <summary>A model whose weights and biases are all at work.</summary>
    private static Case Make(string name, int batch)
    {
        Compute.Seed(1);
        var made = Cases[name](batch);
        using (no_grad())
            foreach (var parameter in made.Model.parameters()) parameter.add_(randn_like(parameter) * 0.2);
        made.Model.train();
        return made;
    }

    private static Case OfGpt(GptConfig config, int batch, bool padded)
    {
        var model = new Gpt(config with { Layers = Layers, Dropout = 0.3 });
        return new(model, on => model.RecomputesBlocks = on, () => model.Logits(Tokens(batch), padded ? Mask(batch) : null));
    }

    private static Case OfLlama(int batch, bool padded)
    {
        var model = new Llama(LlamaConfig.Nano with { Layers = Layers });
        return new(model, on => model.RecomputesBlocks = on, () => model.Logits(Tokens(batch), padded ? Mask(batch) : null));
    }

    private static Tensor Tokens(int batch) => arange(0, batch * Time, 1, int64).view(batch, Time) * 7 % 61;

    /// <summary>The last places of every second text are padding.</summary>
    private static Tensor Mask(int batch)
    {
        var mask = ones([batch, Time], int64);
        for (var row = 0; row < batch; row += 2) mask[row, ^3..].zero_();
        return mask;
    }
}
