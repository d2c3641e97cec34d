using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>A token that a packed or quantized model writes in one step, against the modules, which a hook takes.</summary>
public sealed class TokenStepTests : IDisposable
{
    private const int Vocabulary = 101;
    private const string Packed = "packed";
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly IDisposable noGrad = no_grad();
    private readonly TestKernels kernels = new($"packed-token=kit packed-1={(OneDnnLinear.IsThere ? "onednn" : "mkl")}");

    /// <summary>How the weights are held, and the largest difference as a share of the largest logit.</summary>
    /// <remarks>
    /// Inputs of integer products are rounded, to 16 bits or to 8. A difference of a float32 rounding before it moves a few of
    /// them by one step of that rounding.
    /// </remarks>
    public static TheoryData<string, double> Weights => new()
    {
        { Packed, 1e-5 }, { nameof(QuantizationScheme.EightBits), 3e-4 }, { nameof(QuantizationScheme.EightBitsDynamic), 3e-2 },
        { nameof(QuantizationScheme.FourBits), 3e-4 }, { nameof(QuantizationScheme.Nf4), 3e-4 },
    };

    private static GptConfig SmallGpt => new()
    {
        VocabularySize = Vocabulary,
        ContextLength = 24,
        ModelWidth = 96,
        Heads = 3,
        Layers = 2,
    };

    private static LlamaConfig SmallLlama => new()
    {
        VocabularySize = Vocabulary,
        ContextLength = 24,
        ModelWidth = 96,
        FeedForwardWidth = 160,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
    };

    public void Dispose()
    {
        kernels.Dispose();
        noGrad.Dispose();
        scope.Dispose();
    }

    [SkippableTheory]
    [MemberData(nameof(Weights))]
    public void Gpt_writes_what_its_modules_write(string weights, double tolerance)
    {
        using var model = Prepared(new Gpt(SmallGpt), weights);
        Check(model, tolerance);
    }

    [SkippableTheory]
    [InlineData(4, true)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public void Llama_with_grouped_key_heads_writes_what_its_modules_write(int keyHeads, bool ties)
    {
        foreach (var (weights, tolerance) in new[] { (Packed, 1e-5), (nameof(QuantizationScheme.EightBits), 3e-4) })
        {
            using var model = Prepared(new Llama(SmallLlama with { KeyValueHeads = keyHeads, TieEmbeddings = ties }), weights);
            Check(model, tolerance);
        }
    }

    [SkippableFact]
    public void Layers_of_different_widths_and_a_head_of_floats_are_steps_too()
    {
        using var model = new Gpt(SmallGpt with
        {
            LayerHeads = [2, 1],
            LayerFeedForwardWidths = [64, 33],
            Activation = Activation.Relu,
        });
        model.eval();
        Quantization.Quantize(model, new QuantizationPlan { Scheme = QuantizationScheme.EightBits });
        Check(model, 3e-4);
    }

    [SkippableFact]
    public void Hooks_are_called_and_the_modules_write_where_a_step_cannot()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        using var model = Prepared(new Gpt(SmallGpt), nameof(QuantizationScheme.EightBits));
        using var codes = new KeyValueCache(8, isInt8: true);
        using var floats = new KeyValueCache(8);
        foreach (var cache in new[] { codes, floats }) model.NextLogits(tensor(new long[,] { { 1, 2 } }), cache);
        var byCodes = model.NextLogits(tensor(new long[,] { { 3 } }), codes);
        Near(byCodes, model.NextLogits(tensor(new long[,] { { 3 } }), floats), 0.1);
        var calls = 0;
        var hook = model.modules().OfType<LayerNormalization>().Last()
            .register_forward_hook((_, _, y) =>
            {
                calls++;
                return y;
            });
        model.NextLogits(tensor(new long[,] { { 4 } }), floats);
        Assert.Equal(1, calls);
        hook.remove();
        model.NextLogits(tensor(new long[,] { { 5 } }), floats);
        Assert.Equal(1, calls);
        Assert.Equal(5, floats.Length);
        Assert.Contains("the table has 101 rows",
            Assert.Throws<ArgumentException>(() => model.NextLogits(tensor(new long[,] { { 101 } }), floats)).Message,
            StringComparison.Ordinal);
        Assert.Equal(5, floats.Length);
    }

    [SkippableFact]
    public void Two_texts_can_be_written_at_once()
    {
        Skip.IfNot(IntegerSums.IsSupported);
        using var model = Prepared(new Gpt(SmallGpt), nameof(QuantizationScheme.EightBitsDynamic));
        var options = SamplingOptions.Greedy with { MaximumTokens = 12 };
        var alone = model.Generate([1, 2, 3], options).Select(token => token.Id).ToList();
        var both = new List<long>[2];
        Parallel.For(0, 2, text => both[text] = [.. model.Generate([1, 2, 3], options).Select(token => token.Id)]);
        Assert.All(both, text => Assert.Equal(alone, text));
    }

    private static TModel Prepared<TModel>(TModel model, string weights) where TModel : nn.Module
    {
        Skip.IfNot(IntegerSums.IsSupported);
        model.eval();
        if (weights == Packed)
        {
            using var original = model;
            return original.PackForInference();
        }
        var scheme = weights switch
        {
            nameof(QuantizationScheme.EightBits) => QuantizationScheme.EightBits,
            nameof(QuantizationScheme.EightBitsDynamic) => QuantizationScheme.EightBitsDynamic,
            nameof(QuantizationScheme.FourBits) => QuantizationScheme.FourBits(),
            _ => QuantizationScheme.Nf4(32),
        };
        Quantization.Quantize(model, new QuantizationPlan { Scheme = scheme, IncludesHeads = true });
        return model;
    }

    /// <summary>Reads 4 tokens at once and 12 singly, as the model is and with a hook.</summary>
    private static void Check<TModel>(TModel model, double tolerance) where TModel : nn.Module, ILanguageModel
    {
        Skip.IfNot(IntegerSums.IsSupported);
        var tokens = randint(0, Vocabulary, [1, 16], int64);
        Read(model, tokens, out _);   // the first token finds out what a step is
        var step = Read(model, tokens, out var made);
        var hook = model.modules().OfType<nn.Module<Tensor, Tensor>>()
            .First(module => module is LayerNormalization or RmsNorm)
            .register_forward_hook((_, _, y) => y);
        var modules = Read(model, tokens, out var madeByModules);
        hook.remove();
        Near(step, modules, tolerance);
        if (ThreadTeam.IsTogether) Assert.True(made * 2 < madeByModules, $"{made} tensors, {madeByModules} by modules");
    }

    private static Tensor Read(ILanguageModel model, Tensor tokens, out long made)
    {
        using var inner = NewDisposeScope();
        using var cache = new KeyValueCache((int)tokens.shape[1]);
        List<Tensor> logits = [model.NextLogits(tokens[.., ..4], cache)];
        var start = Made();
        for (var at = 4; at < tokens.shape[1]; at++) logits.Add(model.NextLogits(tokens[.., at..(at + 1)], cache));
        made = Made() - start;
        return stack(logits).MoveToOuterDisposeScope();
    }

    private static long Made() => DisposeScopeManager.Statistics.TensorStatistics.CreatedInScopeCount;

    private static void Near(Tensor actual, Tensor expected, double tolerance)
    {
        var difference = ((actual - expected).abs().max() / expected.abs().max()).item<float>();
        Assert.InRange(difference, 0, tolerance);
    }
}
