using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public class GptVariationsTests
{
    private static readonly GptConfig All = GptConfig.Nano with
    {
        Layers = 3,
        Positions = Positions.Rotary,
        Activation = Activation.SquaredRelu,
        TieEmbeddings = false,
        Variations = new()
        {
            NormalizesQueriesAndKeys = true,
            MixesFirstValues = true,
            LogitSoftCap = 15,
            LogitScale = 0.5,
            ResidualScale = 0.7,
            ScoreScale = 0.3,
        },
    };

    [Fact]
    public void Generation_through_the_cache_gives_the_logits_of_the_whole_text()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = new Gpt(All);
        model.eval();
        var tokens = randint(0, 65, [2, 12], int64);
        var whole = model.call(tokens);
        using var cache = new KeyValueCache(12);
        for (var at = 0; at < 12; at++)
        {
            var next = ((ILanguageModel)model).NextLogits(tokens.narrow(1, at, 1), cache);
            var gap = (next - whole.select(1, at)).abs().max().item<float>();
            Assert.True(gap < 1e-5, $"The largest difference at token {at} is {gap}.");
        }
    }

    [Fact]
    public void Recomputed_blocks_give_the_same_gradients()
    {
        using var scope = NewDisposeScope();
        var model = new Gpt(All);
        var tokens = randint(0, 65, [2, 12], int64);
        Dictionary<string, Tensor> Gradients(bool recomputes)
        {
            model.RecomputesBlocks = recomputes;
            model.zero_grad();
            Losses.NextToken(model.call(tokens), tokens).backward();
            return model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        }
        var plain = Gradients(false);
        foreach (var (name, gradient) in Gradients(true))
        {
            var gap = (gradient - plain[name]).abs().max().item<float>();
            Assert.True(gap < 1e-6, $"{name}: the largest difference is {gap}.");
        }
        Assert.Contains("h.1.attn.value_mix", plain.Keys);
        Assert.DoesNotContain("h.0.attn.value_mix", plain.Keys);
    }

    [Fact]
    public void Queries_and_keys_of_any_size_give_the_same_attention()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = new Gpt(GptConfig.Nano with { Variations = new() { NormalizesQueriesAndKeys = true } });
        model.eval();
        var tokens = randint(0, 65, [1, 16], int64);
        var before = model.call(tokens);
        foreach (var (name, parameter) in model.named_parameters())
            if (name.Contains("c_attn.weight", StringComparison.Ordinal)) parameter.narrow(1, 0,
                64).mul_(3);   // queries and keys
        Assert.True(allclose(before, model.call(tokens), atol: 1e-4));
    }

    [Fact]
    public void Zero_initialized_projections_make_the_blocks_the_identity()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = new Gpt(GptConfig.Nano with { Variations = new() { ZeroInitializedProjections = true } });
        model.eval();
        var tokens = randint(0, 65, [1, 16], int64);
        var before = model.Features(tokens);
        foreach (var (name, parameter) in model.named_parameters())
            if (name.Contains(".c_fc.", StringComparison.Ordinal) || name.Contains(".c_attn.",
                StringComparison.Ordinal)) parameter.mul_(5);
        Assert.True(allclose(before, model.Features(tokens), atol: 1e-6));
    }

    [Fact]
    public void The_soft_cap_bounds_the_logits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var model = new Gpt(GptConfig.Nano with { Variations = new() { LogitSoftCap = 2 } });
        foreach (var parameter in model.parameters()) parameter.mul_(20);
        var logits = model.call(randint(0, 65, [1, 16], int64)).abs().max().item<float>();
        Assert.InRange(logits, 1.5f, 2);
        Assert.Throws<ArgumentException>(() => new Gpt(GptConfig.Nano with { Variations = new() { LogitSoftCap = 0 } }));
    }
}
