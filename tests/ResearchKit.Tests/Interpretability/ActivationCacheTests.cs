using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class ActivationCacheTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano);
    private readonly Tensor tokens = randint(0, 65, [2, 6], int64);

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void The_residual_stream_is_the_sum_of_embedding_attention_and_MLP_outputs()
    {
        using var cache = ActivationCache.Record(model);
        model.call(tokens);
        var sum = cache["hook_embed"] + cache["hook_pos_embed"];
        for (var layer = 0; layer < 2; layer++) sum = sum + cache[$"h.{layer}.hook_attn_out"] + cache[$"h.{layer}.hook_mlp_out"];
        Near.Check("final residual", cache["h.1.hook_resid_post"], sum, 1e-5);
        Assert.False(cache["h.0.attn.hook_pattern"].requires_grad);
    }

    [Fact]
    public void Only_names_that_pass_the_filter_are_recorded_and_the_logits_do_not_change()
    {
        using var cache = ActivationCache.Record(model, name => name == "h.1.attn.hook_pattern");
        var watched = model.call(tokens);
        Assert.Equal(["h.1.attn.hook_pattern"], cache.Names);
        cache.Dispose();
        Near.Check("logits", model.call(tokens), watched, 1e-5);
    }

    [Fact]
    public void Disposing_the_cache_removes_the_hooks_and_frees_the_copies()
    {
        model.call(tokens).Dispose();
        var before = LiveTensors.Count;
        using (var cache = ActivationCache.Record(model))
        {
            model.call(tokens).Dispose();
            model.call(tokens).Dispose();
            Assert.Equal(before + cache.Names.Count, LiveTensors.Count);
        }
        model.call(tokens).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Cross_attention_of_each_target_token_is_a_distribution_over_the_source()
    {
        using var t5 = new T5(T5Config.Nano);
        var (source, written) = (tensor(new long[] { 5, 6, 7 }).unsqueeze(0), tensor(new long[] { 0, 8 }).unsqueeze(0));
        var maps = t5.CrossAttention(source, written, ["a", "b", "c"], ["<s>", "d"]);
        Assert.Equal(T5Config.Nano.Heads * (T5Config.Nano.DecoderLayers ?? T5Config.Nano.Layers), maps.Patterns.Count);
        Assert.All(maps.Patterns, pattern =>
        {
            Assert.Equal((2, 3), (pattern.Weights.GetLength(0), pattern.Weights.GetLength(1)));
            for (var query = 0; query < 2; query++)
                Assert.Equal(1, pattern.Weights[query, 0] + pattern.Weights[query, 1] + pattern.Weights[query, 2], 1e-5);
        });
        Assert.Throws<ArgumentException>(() => t5.CrossAttention(source, written, ["a", "b"], ["<s>", "d"]));
    }

    [Fact]
    public void The_error_for_an_unknown_name_lists_the_known_ones()
    {
        using var cache = ActivationCache.Record(model, name => name.EndsWith("resid_post", StringComparison.Ordinal));
        Assert.Contains("has not run", Assert.Throws<KeyNotFoundException>(() => cache["h.0.hook_resid_post"]).Message,
            StringComparison.Ordinal);
        model.call(tokens).Dispose();
        Assert.Contains("h.1.hook_resid_post", Assert.Throws<KeyNotFoundException>(() => cache["h.9.hook_resid_post"]).Message,
            StringComparison.Ordinal);
        Assert.Contains("hook_embed", Assert.Throws<ArgumentException>(() => ActivationCache.Record(model, _ => false)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Any_model_can_be_recorded()
    {
        using var mine = nn.Sequential(("first", nn.Linear(3, 4)), ("second", nn.ReLU()));
        using var cache = ActivationCache.Record(mine, name => name == "first");
        mine.call(ones(1, 3)).Dispose();
        Assert.Equal([1, 4], cache["first"].shape);
    }

    [Fact]
    public void Attention_maps_have_layer_head_and_name_and_causal_rows_that_sum_to_one()
    {
        string[] labels = ["a", "b", "c", "d", "e", "f"];
        model.train();
        var maps = model.Attention(tokens[..1], labels);
        Assert.True(model.training);
        Assert.Equal(8, maps.Patterns.Count);
        Assert.Equal((1, 3, "h.1.attn.hook_pattern"), (maps.Patterns[^1].Layer, maps.Patterns[^1].Head, maps.Patterns[^1].Name));
        Assert.All(maps.Patterns, pattern =>
        {
            for (var query = 0; query < 6; query++)
            {
                Assert.Equal(1, Enumerable.Range(0, 6).Sum(key => pattern.Weights[query, key]), tolerance: 1e-4);
                for (var key = query + 1; key < 6; key++) Assert.Equal(0, pattern.Weights[query, key]);
            }
        });
        Assert.Contains("[2, 6]", Assert.Throws<ArgumentException>(() => model.Attention(tokens, labels)).Message,
            StringComparison.Ordinal);
        Assert.Contains("1 labels for 6", Assert.Throws<ArgumentException>(() => model.Attention(tokens[..1], ["a"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_tokens_of_an_image_are_the_class_token_and_the_patches()
    {
        using var scope = NewDisposeScope();
        using var vit = new Vit(VitConfig.Nano);   // 4 × 4 patches
        var image = rand(1, 1, 28, 28);
        var labels = Enumerable.Range(0, 17).Select(token => $"p{token}").ToList();
        var maps = vit.Attention(image, labels);
        Assert.Equal(8, maps.Patterns.Count);
        Assert.All(maps.Patterns, pattern => Assert.Equal((17, 17), (pattern.Weights.GetLength(0),
            pattern.Weights.GetLength(1))));
        Assert.Contains("Got 1 labels for 17 tokens in vit.encoder.layer.0.attention.attention.hook_pattern; expected one for "
            + "each",
            Assert.Throws<ArgumentException>(() => vit.Attention(image, ["x"])).Message, StringComparison.Ordinal);
        Assert.Contains("Images are Byte", Assert.Throws<ArgumentException>(() => vit.call(image.to(uint8))).Message,
            StringComparison.Ordinal);
    }
}
