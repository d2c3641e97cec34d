using ResearchKit.Compression;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

/// <summary>Calibration of one block after the other, against calibration of the whole model.</summary>
public sealed class BlockwiseQuantizationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Codes_are_those_of_the_whole_models_calibration()
    {
        var batches = Batches();
        foreach (var make in new Func<nn.Module<Tensor, Tensor>>[] { SmallGpt, SmallLlama })
            foreach (var scheme in new[] { QuantizationScheme.FourBits(16), QuantizationScheme.EightBitsStatic })
            {
                using var whole = make();
                using var byBlock = make();
                var plan = new QuantizationPlan { Scheme = scheme, Rounding = new Gptq(), IncludesHeads = true };
                if (make == SmallGpt) plan = plan with { IncludesHeads = false };
                var calibration = Calibration.Watch(whole);
                using (no_grad())
                    foreach (var batch in batches) whole.call(batch).Dispose();
                calibration.Stop();
                var expected = Quantization.Quantize(whole, plan, calibration);
                calibration.Dispose();
                var made = Quantization.QuantizeByBlock(byBlock, batches, plan);
                Assert.Equal(expected.ToString(), made.ToString());
                Assert.Equal(expected.OtherWeights, made.OtherWeights);
                using (no_grad())
                    Assert.True(whole.call(batches[0]).Equals(byBlock.call(batches[0])));
            }
    }

    [Fact]
    public void What_fails_leaves_the_model_as_it_was()
    {
        var batches = Batches();
        using var model = SmallGpt();
        var expected = model.call(batches[0]).detach();
        using var stop = new CancellationTokenSource();
        var told = new FirstLayer(stop);
        Assert.Throws<OperationCanceledException>(() => Quantization.QuantizeByBlock(model, batches, null, told, stop.Token));
        Refuses(() => Quantization.QuantizeByBlock(model, []), "no batches");
        Refuses(() => Quantization.QuantizeByBlock(model, [batches[0][0..1, 0..1]], new() { Rounding = new Gptq() }),
            "h.0.attn.c_attn", "saw 1 rows");
        Refuses(() => Quantization.QuantizeByBlock(model, batches, new() { Scaling = new SmoothQuant() }), "scaling");
        Refuses(() => Quantization.QuantizeByBlock(model, batches, new() { Rounding = new Gptq(), IncludesHeads = true }), "wte");
        Refuses(() => Quantization.QuantizeByBlock(nn.Linear(3, 3), batches), "blocks of a Linear");
        Assert.Equal(expected.data<float>().ToArray(), model.call(batches[0]).detach().data<float>().ToArray());
    }

    private sealed class FirstLayer(CancellationTokenSource stop) : IProgress<QuantizedLayer>
    {
        public void Report(QuantizedLayer value) => stop.Cancel();
    }

    private static Tensor[] Batches()
    {
        Compute.Seed(4);
        return [.. Enumerable.Range(0, 3).Select(_ => randint(50, [2, 16], int64))];
    }

    private static Gpt SmallGpt()
    {
        Compute.Seed(5);
        return Evaluated(new Gpt(new GptConfig
        {
            VocabularySize = 50,
            ContextLength = 16,
            ModelWidth = 32,
            Heads = 2,
            Layers = 2,
            Dropout = 0,
        }));
    }

    private static Llama SmallLlama()
    {
        Compute.Seed(6);
        return Evaluated(new Llama(new LlamaConfig
        {
            VocabularySize = 50,
            ContextLength = 16,
            ModelWidth = 32,
            Heads = 2,
            KeyValueHeads = 1,
            Layers = 2,
            FeedForwardWidth = 64,
        }));
    }

    private static T Evaluated<T>(T model) where T : nn.Module
    {
        model.eval();
        return model;
    }
}
