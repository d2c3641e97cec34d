using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class LlamaTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("llama-a")]
    [InlineData("llama-b")]
    public void It_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var (tokens, labels) = (golden["in.input_ids"], golden["in.labels"]);
        var mask = golden.Has("in.attention_mask") ? golden["in.attention_mask"] : null;
        var logits = model.Logits(tokens, mask);
        golden.Check("out.logits", logits);
        golden.CheckLoss(model, Losses.NextToken(logits, labels));

        using var cache = ActivationCache.Record(model);
        var features = model.Features(tokens, mask);
        golden.Check("out.logits", model.Head(features));
        var layers = model.Config.Layers;
        golden.CheckEach("out.hidden_states",
            [cache["model.hook_embed"], .. cache.Each(layers - 1, layer => $"model.layers.{layer}.hook_resid_post"), features]);
        golden.CheckEach("out.attentions", cache.Each(layers, layer => $"model.layers.{layer}.self_attn.hook_pattern"));
    }

    [Theory]
    [InlineData("llama-a")]
    [InlineData("llama-b")]
    public void Greedy_generation_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var mask = golden.Has("gen.attention_mask") ? golden["gen.attention_mask"] : null;
        using var written = model.GenerateBatch(golden["gen.input_ids"], golden.GreedyOptions(), mask);
        golden.CheckGeneration(written);
    }

    [Fact]
    public void The_cache_does_not_change_generation_even_beyond_the_context_length()
    {
        using var model = new Llama(LlamaConfig.Nano with { ContextLength = 12 });
        model.eval();
        var tokens = new List<long> { 5, 6, 7 };
        foreach (var token in model.Generate([5, 6, 7], SamplingOptions.Greedy with { MaximumTokens = 15 }))
        {
            var logits = model.call(tensor(tokens.TakeLast(12).ToArray()).unsqueeze(0))[0, ^1];
            Assert.Equal(logits.argmax().item<long>(), token.Id);
            Assert.Equal(logits.softmax(0).max().item<float>(), token.Probability, tolerance: 1e-5);
            tokens.Add(token.Id);
        }
        Assert.Equal(18, tokens.Count);
    }

    [Fact]
    public void Batch_generation_equals_generation_of_each_text_alone()
    {
        using var model = new Llama(LlamaConfig.Nano with { ContextLength = 14 });
        var tokens = randint(1, 65, [3, 8], int64);
        var mask = ones([3, 8], int64);
        for (var row = 0; row < 3; row++) mask[row, ..(2 * row)] = 0;
        var options = SamplingOptions.Greedy with { MaximumTokens = 6 };
        using var written = model.GenerateBatch(tokens, options, mask);
        for (var row = 0; row < 3; row++)
        {
            var alone = model.Generate(tokens[row, (2 * row)..].data<long>().ToArray(), options).Select(token => token.Id);
            Assert.Equal(alone, written.Tokens[row, 8..].data<long>().ToArray());
        }
    }

    [Fact]
    public void The_future_cannot_change_the_past()
    {
        using var model = new Llama(LlamaConfig.Nano);
        var tokens = randint(0, 65, [2, 10], int64);
        var edited = tokens.clone();
        edited[.., ^1] = tensor(0L);
        Near.Check("all but the last", model.call(tokens)[.., ..^1], model.call(edited)[.., ..^1], 1e-6);
    }

    [Fact]
    public void Padding_does_not_change_the_outputs_of_real_tokens()
    {
        using var model = new Llama(LlamaConfig.Nano);
        var tokens = randint(0, 65, [2, 9], int64);
        var padded = cat([tokens, randint(0, 65, [2, 3], int64)], 1);
        var mask = cat([ones([2, 9], int64), zeros([2, 3], int64)], 1);
        Near.Check("right", model.call(tokens), model.Logits(padded, mask)[.., ..9], 1e-5);
        using var cache = new KeyValueCache(12);
        using var padding = new KeyValueCache(12);
        Near.Check("left", model.NextLogits(tokens, cache), model.NextLogits(padded.roll(3, 1), padding, mask.roll(3, 1)), 1e-5);
    }

    [Fact]
    public void Grouped_heads_equal_full_heads_with_repeated_keys()
    {
        using var grouped = new Llama(LlamaConfig.Nano with { TieEmbeddings = true });
        using var full = new Llama(LlamaConfig.Nano with { KeyValueHeads = null, TieEmbeddings = true });
        var weights = grouped.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var name in weights.Keys.Where(name =>
            name.Contains("k_proj", StringComparison.Ordinal) || name.Contains("v_proj", StringComparison.Ordinal)).ToList())
            weights[name] = weights[name].view(2, 1, 8, 32).expand(2, 2, 8, 32).reshape(32, 32);
        ResearchKit.Checkpoints.StateDict.Load(full, weights, "the grouped one");
        var tokens = randint(0, 65, [2, 10], int64);
        Near.Check("logits", full.call(tokens), grouped.call(tokens), 1e-5);
        using var cache = new KeyValueCache(12);
        using var other = new KeyValueCache(12);
        Near.Check("prompt", full.NextLogits(tokens, cache), grouped.NextLogits(tokens, other), 1e-5);
        Near.Check("one token", full.NextLogits(tokens[.., ..1], cache), grouped.NextLogits(tokens[.., ..1], other), 1e-5);
    }

    [Fact]
    public void Parameter_names_equal_those_of_the_published_checkpoint()
    {
        using var golden = new GoldenCase("llama-a");
        using var model = Reference(golden);
        Assert.Equal(golden.Weights().Keys.Where(name => !name.Contains("inv_freq", StringComparison.Ordinal)).Order(),
            model.state_dict().Keys.Order());
        using var tied = new Llama(LlamaConfig.Nano with { TieEmbeddings = true });
        Assert.DoesNotContain("lm_head.weight", tied.state_dict().Keys);
    }

    [Fact]
    public void The_embedding_of_the_padding_token_is_not_trained()
    {
        using var model = new Llama(LlamaConfig.Nano with { PaddingToken = 3 });
        model.call(tensor(new long[] { 3, 4, 5 }).unsqueeze(0)).sum().backward();
        var gradient = model.named_parameters().Single(pair => pair.name == "model.embed_tokens.weight").parameter.grad!;
        Assert.Equal(0, gradient[3].abs().sum().item<float>());
        Assert.NotEqual(0, gradient[4].abs().sum().item<float>());
    }

    [Fact]
    public void A_forward_pass_and_generation_leak_no_tensor()
    {
        using var model = new Llama(LlamaConfig.Nano);
        using var tokens = randint(0, 65, [2, 10], int64);
        model.call(tokens).Dispose();
        var before = LiveTensors.Count;
        model.call(tokens).Dispose();
        Assert.Equal(before, LiveTensors.Count);
        model.GenerateBatch(tokens, new SamplingOptions { MaximumTokens = 30, KeepLogits = true }, ones_like(tokens)).Dispose();
        Assert.InRange(LiveTensors.Count, before, before + 1);   // the mask, which is the caller's
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = new Llama(LlamaConfig.Nano);
        Assert.Contains("Got 40 tokens; the context length is 32.", Refused(() => model.call(zeros([1, 40], int64))),
            StringComparison.Ordinal);
        Assert.Contains("Heads 4 is not divisible by KeyValueHeads 3",
            Refused(() => new Llama(LlamaConfig.Nano with { KeyValueHeads = 3 })), StringComparison.Ordinal);
        Assert.Contains("Token 65", Refused(() => model.GenerateBatch(full([1, 4], 65L, int64))), StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static Llama Reference(GoldenCase golden) => Llama.FromPretrained(golden.Folder);
}
