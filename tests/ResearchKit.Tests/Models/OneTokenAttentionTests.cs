using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>A token read behind a cache in one call against the ordinary path, which a hook takes.</summary>
public sealed class OneTokenAttentionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(Positions.Learned)]
    [InlineData(Positions.Sinusoidal)]
    [InlineData(Positions.Rotary)]
    [InlineData(Positions.Alibi)]
    public void For_Gpt_the_single_token_path_equals_the_hooked_path(Positions positions)
    {
        using var model = new Gpt(GptConfig.Nano with { VocabularySize = 17, Positions = positions });
        Check(model, model, 17);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public void For_Llama_with_grouped_key_heads_the_single_token_path_equals_the_hooked_path(int keyValueHeads)
    {
        using var model = new Llama(new LlamaConfig
        {
            VocabularySize = 17,
            ContextLength = 32,
            ModelWidth = 32,
            FeedForwardWidth = 48,
            Layers = 2,
            Heads = 4,
            KeyValueHeads = keyValueHeads,
        });
        Check(model, model, 17);
    }

    [Fact]
    public void A_cache_refuses_a_different_batch_size_and_too_many_tokens()
    {
        using var noGrad = no_grad();
        using var model = new Gpt(GptConfig.Nano with { VocabularySize = 17 });
        model.eval();
        using var cache = new KeyValueCache(3);
        model.NextLogits(tensor(new long[,] { { 1, 2 } }), cache);
        var other = Assert.Throws<ArgumentException>(() => model.NextLogits(tensor(new long[,] { { 1 }, { 2 } }), cache));
        Assert.Contains("batch of 2; the cache holds a batch of 1", other.Message, StringComparison.Ordinal);
        model.NextLogits(tensor(new long[,] { { 3 } }), cache);
        var full = Assert.Throws<ArgumentException>(() => model.NextLogits(tensor(new long[,] { { 4 } }), cache));
        Assert.Contains("Got 4 tokens; the cache holds 3", full.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_of_one_token_gives_the_same_logits_with_an_empty_cache()
    {
        using var noGrad = no_grad();
        using var model = new Gpt(GptConfig.Nano with { VocabularySize = 17 });
        model.eval();
        using var cache = new KeyValueCache(3);
        Near.Check("logits", model.Logits(tensor(new long[,] { { 5 } }))[.., ^1],
            model.NextLogits(tensor(new long[,] { { 5 } }), cache), 1e-6);
    }

    /// <summary>Reads 9 tokens behind a prompt of 3, once as it is and once with a hook at every place of attention.</summary>
    private static void Check(nn.Module network, ILanguageModel model, int vocabulary)
    {
        using var noGrad = no_grad();
        network.eval();
        var tokens = randint(0, vocabulary, [2, 12], int64);
        var fast = Read(model, tokens);
        var seen = 0;
        var hooks = network.named_modules().Select(pair => pair.module).OfType<HookPoint>()
            .Select(point => point.register_forward_hook((_, _, output) => { seen++; return output; })).ToList();
        var watched = Read(model, tokens);
        foreach (var hook in hooks) hook.remove();
        Assert.True(seen > 0);
        Near.Check("logits", watched, fast, 1e-5);
        Near.Check("again", fast, Read(model, tokens), 0);
    }

    private static Tensor Read(ILanguageModel model, Tensor tokens)
    {
        using var inner = NewDisposeScope();
        using var cache = new KeyValueCache(12);
        var logits = new List<Tensor> { model.NextLogits(tokens[.., ..3], cache) };
        for (var at = 3; at < 12; at++) logits.Add(model.NextLogits(tokens.narrow(1, at, 1), cache));
        return stack(logits).MoveToOuterDisposeScope();
    }
}
