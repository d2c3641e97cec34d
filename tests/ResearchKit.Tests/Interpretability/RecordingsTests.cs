using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class RecordingsTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano);
    private readonly Tensor tokens = randint(0, 65, [2, 6], int64);

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Theory]
    [InlineData("gpt", "h.0.", "h.0.attn.", "h.0.mlp.", "h.0.ln_1.", "hook_embed")]
    [InlineData("llama", "model.layers.0.", "model.layers.0.self_attn.", "model.layers.0.mlp.", "model.layers.0.input_layernorm.",
        "model.hook_embed")]
    [InlineData("bert", "encoder.layer.0.", "encoder.layer.0.attention.self.", "encoder.layer.0.intermediate.",
        "encoder.layer.0.attention.output.LayerNorm.", "embeddings.hook_embed")]
    [InlineData("vit", "vit.encoder.layer.0.", "vit.encoder.layer.0.attention.attention.", "vit.encoder.layer.0.intermediate.",
        "vit.encoder.layer.0.layernorm_before.", "vit.embeddings.hook_embed")]
    [InlineData("t5", "decoder.block.0.layer.?.", "decoder.block.0.layer.0.SelfAttention.",
        "decoder.block.0.layer.2.DenseReluDense.", "decoder.block.0.layer.0.layer_norm.", "decoder.hook_embed")]
    public void Hook_points_have_the_same_names_in_all_transformers(
        string kind, string layer, string attention, string mlp, string norm, string embedding)
    {
        using nn.Module network = kind switch
        {
            "gpt" => new Gpt(GptConfig.Nano),
            "llama" => new Llama(LlamaConfig.Nano),
            "bert" => new Bert(BertConfig.Nano),
            "vit" => new Vit(VitConfig.Nano),
            _ => new T5(T5Config.Nano),
        };
        string[] names = [embedding, $"{norm}hook_scale", $"{norm}hook_normalized", $"{layer}hook_attn_in",
            $"{layer}hook_attn_out", $"{layer}hook_mlp_in", $"{layer}hook_mlp_out", $"{mlp}hook_pre", $"{mlp}hook_post",
            .. new[] { "q", "k", "v", "z", "attn_scores", "pattern" }.Select(name => $"{attention}hook_{name}")];
        using var cache = ActivationCache.Record(network, new RecordingOptions { Names = names });
        if (kind == "vit") ((Vit)network).call(rand(1, 1, 28, 28));
        else if (kind == "t5") ((T5)network).call(tokens[..1], tokens[..1]);
        else ((nn.Module<Tensor, Tensor>)network).call(tokens[..1]);
        Assert.Equal(names.Length, cache.Names.Count);
        var patterns = cache.Names.Single(name => name.EndsWith("hook_pattern", StringComparison.Ordinal));
        var scores = cache.Names.Single(name => name.EndsWith("hook_attn_scores", StringComparison.Ordinal));
        Near.Check("pattern", cache[scores].softmax(-1), cache[patterns], 1e-6);
        Near.Check("rows", ones_like(cache[patterns].sum(-1)), cache[patterns].sum(-1), 1e-6);
    }

    [Fact]
    public void The_norm_is_the_centred_stream_over_its_scale()
    {
        using var cache = model.Record(tokens, new RecordingOptions { Names = ["h.0.hook_attn_in", "h.0.ln_1.*"] });
        var x = cache["h.0.hook_attn_in"];
        var expected = (x - x.mean([-1], keepdim: true)) / cache["h.0.ln_1.hook_scale"];   // weight 1, bias 0
        Near.Check("normalised", expected, cache["h.0.ln_1.hook_normalized"], 1e-5);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(1, true)]
    public void The_estimated_bytes_are_those_of_the_recording(int? stop, bool half)
    {
        var options = new RecordingOptions { StopAtLayer = stop, DType = half ? bfloat16 : null };
        var estimate = model.EstimateBytes(tokens, options);
        using var cache = model.Record(tokens, options);
        Assert.Equal(estimate, cache.Bytes);
        Assert.Equal(cache.Bytes, cache.Names.Sum(name => cache[name].numel() * cache[name].element_size()));
        Assert.Equal(stop is null, cache.Output is not null);
        Assert.Equal(stop is null, cache.Names.Contains("h.1.hook_attn_out"));
        Assert.Equal(half ? ScalarType.BFloat16 : ScalarType.Float32, cache["h.0.attn.hook_z"].dtype);
    }

    [Fact]
    public void The_estimate_works_for_two_inputs_and_for_models_of_the_user()
    {
        using var t5 = new T5(T5Config.Nano);
        using var recorded = t5.Record(tokens, tokens[.., ..3]);
        Assert.Equal(t5.EstimateBytes(tokens, tokens[.., ..3]), recorded.Bytes);
        using var mine = nn.Sequential(("first", nn.Linear(3, 4)), ("second", nn.ReLU()));
        Assert.Equal(4 * 5 * 4, mine.EstimateBytes(ones(5, 3), new RecordingOptions { Names = ["first"] }));
    }

    [Fact]
    public void Texts_of_different_lengths_are_recorded_like_alone()
    {
        long[][] texts = [[5, 6, 7], [1, 2, 3, 4, 5]];
        using var cache = model.Record(texts, new RecordingOptions { Names = ["*hook_resid_post", "*hook_pattern", "*hook_k"] });
        using var alone = model.Record(tensor(texts[0]).unsqueeze(0));
        foreach (var name in cache.Names) Near.Check(name, alone[name][0], cache.Of(name, 0), 1e-5);
        Assert.Equal([4, 5, 5], cache.Of("h.0.attn.hook_pattern", 1).shape);
        Assert.Throws<ArgumentException>(() => cache.Of("h.0.attn.hook_pattern", 2));
    }

    [Fact]
    public void Gradients_at_hook_points_are_finite_differences_and_leave_the_parameters_alone()
    {
        model.to(float64);
        var target = Target.Logit(7);
        using var cache = model.Record(tokens, new RecordingOptions { Gradients = true, Names = ["*hook_*"] });
        cache.Backward(target.Of(cache.Output!).sum());
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
        foreach (var name in new[] { "hook_pos_embed", "h.0.attn.hook_q", "h.0.attn.hook_attn_scores", "h.1.mlp.hook_pre" })
        {
            var direction = randn_like(cache[name]);
            if (name.EndsWith("scores", StringComparison.Ordinal)) direction = direction.tril();
            double Moved(double step)
            {
                using var edit = model.Edit(name, Edit.Add(direction, step));
                return target.Of(model.call(tokens)).sum().item<double>();
            }
            var expected = (Moved(1e-5) - Moved(-1e-5)) / 2e-5;
            Assert.Equal(expected, (cache.Gradient(name) * direction).sum().item<double>(), 1e-5 * (1 + Math.Abs(expected)));
        }
    }

    [Fact]
    public void Unknown_names_list_the_nearest_and_no_hook_is_left()
    {
        Assert.Contains("h.0.hook_resid_post", Assert.Throws<KeyNotFoundException>(
            () => model.Record(tokens, new RecordingOptions { Names = ["h.0.hook_resid_pst"] })).Message,
            StringComparison.Ordinal);
        Assert.Contains("has 2", Assert.Throws<ArgumentException>(
            () => model.Record(tokens, new RecordingOptions { StopAtLayer = 7 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.Record(tokens.to(int32)));
        Assert.DoesNotContain(model.modules().OfType<HookPoint>(), point => point.IsWatched);
        Assert.True(model.training);
    }

    [Fact]
    public void A_recording_leaks_no_tensor_and_no_hook()
    {
        model.Record(tokens).Dispose();
        var before = LiveTensors.Count;
        model.Record(tokens, new RecordingOptions { Gradients = true, StopAtLayer = 1 }).Dispose();
        model.Record(tokens).Dispose();
        Assert.Equal(before, LiveTensors.Count);
        Assert.DoesNotContain(model.modules().OfType<HookPoint>(), point => point.IsWatched);
    }
}
