using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class GptTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("gpt2-a")]
    [InlineData("gpt2-b")]
    public void It_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var (tokens, labels) = (golden["in.input_ids"], golden["in.labels"]);
        var mask = golden.Has("in.attention_mask") ? golden["in.attention_mask"] : null;
        var logits = model.Logits(tokens, mask);
        golden.Check("out.logits", logits);
        golden.CheckLoss(model, Losses.NextToken(logits, labels), "transformer.");

        using var cache = ActivationCache.Record(model);
        var features = model.Features(tokens, mask);
        golden.Check("out.logits", model.Head(features));
        var layers = model.Config.Layers;
        golden.CheckEach("out.hidden_states",
            [cache["h.0.hook_resid_pre"], .. cache.Each(layers - 1, layer => $"h.{layer}.hook_resid_post"), features]);
        golden.CheckEach("out.attentions", cache.Each(layers, layer => $"h.{layer}.attn.hook_pattern"));
    }

    [Fact]
    public void Greedy_generation_equals_the_reference()
    {
        using var golden = new GoldenCase("gpt2-a");
        using var model = Reference(golden);
        for (var row = 0; row < 2; row++)
        {
            var prompt = golden["gen.input_ids"][row].data<long>().ToArray();
            var written = model.Generate(prompt, SamplingOptions.Greedy with { MaximumTokens = 12 }).Select(token => token.Id);
            Assert.Equal(golden["gen.output_ids"][row].data<long>().ToArray(), prompt.Concat(written));
        }
    }

    [Theory]
    [InlineData("gpt2-a")]
    [InlineData("gpt2-b")]
    public void Greedy_generation_of_a_batch_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var mask = golden.Has("gen.attention_mask") ? golden["gen.attention_mask"] : null;
        using var written = model.GenerateBatch(golden["gen.input_ids"], golden.GreedyOptions(), mask);
        golden.CheckGeneration(written);
    }

    [Theory]
    [InlineData(Positions.Learned)]
    [InlineData(Positions.Sinusoidal)]
    [InlineData(Positions.Rotary)]
    [InlineData(Positions.Alibi)]
    [InlineData(Positions.None)]
    public void The_cache_does_not_change_generation_even_beyond_the_context_length(Positions positions)
    {
        using var model = new Gpt(GptConfig.Nano with { Positions = positions, ContextLength = 12 });
        model.eval();
        var tokens = new List<long> { 5, 6, 7 };
        foreach (var token in model.Generate([5, 6, 7], SamplingOptions.Greedy with { MaximumTokens = 15 }))
        {
            var window = tokens.TakeLast(12).ToArray();
            var logits = model.call(tensor(window).unsqueeze(0))[0, ^1];
            Assert.Equal(logits.argmax().item<long>(), token.Id);
            Assert.Equal(logits.softmax(0).max().item<float>(), token.Probability, tolerance: 1e-5);
            tokens.Add(token.Id);
        }
        Assert.Equal(18, tokens.Count);
    }

    [Fact]
    public void The_future_cannot_change_the_past()
    {
        using var model = new Gpt(GptConfig.Nano);
        var tokens = randint(0, 65, [2, 10], int64);
        var edited = tokens.clone();
        edited[.., ^1] = tensor(0L);
        Near.Check("all but the last", model.call(tokens)[.., ..^1], model.call(edited)[.., ..^1], 1e-6);
    }

    [Fact]
    public void Parameter_names_equal_those_of_the_published_checkpoint()
    {
        using var model = new Gpt(GptConfig.Nano with { Layers = 1 });
        string[] expected = ["wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.ln_1.bias", "h.0.attn.c_attn.weight",
            "h.0.attn.c_attn.bias",
            "h.0.attn.c_proj.weight", "h.0.attn.c_proj.bias", "h.0.ln_2.weight", "h.0.ln_2.bias", "h.0.mlp.c_fc.weight",
                "h.0.mlp.c_fc.bias",
            "h.0.mlp.c_proj.weight", "h.0.mlp.c_proj.bias", "ln_f.weight", "ln_f.bias"];
        Assert.Equal(expected.Order(), model.state_dict().Keys.Order());
    }

    [Fact]
    public void A_forward_pass_and_generation_leak_no_tensor()
    {
        using var model = new Gpt(GptConfig.Nano);
        using var tokens = randint(0, 65, [2, 10], int64);
        model.call(tokens).Dispose();
        var before = LiveTensors.Count;
        model.call(tokens).Dispose();
        Assert.Equal(before, LiveTensors.Count);
        _ = model.Generate([1], new SamplingOptions { MaximumTokens = 40 }).Count();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = new Gpt(GptConfig.Nano);
        Assert.Contains("Got 40 tokens; the context length is 32.", Refused(() => model.call(zeros([1, 40], int64))),
            StringComparison.Ordinal);
        Assert.Contains("[40]", Refused(() => model.call(zeros([40], int64))), StringComparison.Ordinal);
        Assert.Contains("Float32", Refused(() => model.call(zeros([1, 4]))), StringComparison.Ordinal);
        Assert.Contains("no token", Refused(() => model.call(zeros([1, 0], int64))), StringComparison.Ordinal);
        Assert.Contains("ModelWidth 30", Refused(() => new Gpt(GptConfig.Nano with { ModelWidth = 30 })),
            StringComparison.Ordinal);
        Assert.Contains("Layers is 0", Refused(() => new Gpt(GptConfig.Nano with { Layers = 0 })), StringComparison.Ordinal);
        Assert.Contains("prompt is empty", Refused(() => model.Generate([])), StringComparison.Ordinal);
        Assert.Contains("Token 65", Refused(() => model.Generate([65])), StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => model.call(full([1, 4], 65L, int64)));
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    [Fact]
    public void Attention_scores_are_scaled_as_configured()
    {
        var config = GptConfig.Nano with { ModelWidth = 64, Heads = 4 };   // heads of 16: the root is 4
        var tokens = randint(0, 65, [2, 10], int64);
        foreach (var (scale, byLayer, first, second) in new[] { (false, false, 4, 4.0), (true, true, 1, 0.5),
            (false, true, 4, 2.0) })
        {
            using var plain = new Gpt(config);
            using var scaled = new Gpt(config with { ScaleScores = scale, ScaleScoresByLayer = byLayer });
            StateDict.Load(scaled, plain.state_dict(), "the other");
            using (no_grad())   // as if the queries were larger or smaller
                foreach (var (layer, factor) in new[] { (0, first), (1, second) })
                    plain.state_dict()[$"h.{layer}.attn.c_attn.weight"].narrow(1, 0, 64).mul_(factor);
            Near.Check("logits", plain.call(tokens), scaled.call(tokens), 1e-5);
        }
    }

    [Fact]
    public void Padding_does_not_change_the_outputs_of_real_tokens()
    {
        using var model = new Gpt(GptConfig.Nano);
        model.eval();
        var tokens = randint(0, 65, [2, 9], int64);
        var padded = cat([tokens, randint(0, 65, [2, 3], int64)], 1);
        var mask = cat([ones([2, 9], int64), zeros([2, 3], int64)], 1);
        Near.Check("right", model.call(tokens), model.Logits(padded, mask)[.., ..9], 1e-5);
        using var cache = new KeyValueCache(12);
        using var padding = new KeyValueCache(12);
        Near.Check("left", model.NextLogits(tokens, cache), model.NextLogits(padded.roll(3, 1), padding, mask.roll(3, 1)), 1e-5);
        Assert.Contains("[2, 9]", Refused(() => model.Logits(padded, mask[.., ..9])), StringComparison.Ordinal);
        Assert.Contains("padded on the left", Refused(() => model.GenerateBatch(padded, null, mask)), StringComparison.Ordinal);
    }

    private static Gpt Reference(GoldenCase golden) => Gpt.FromPretrained(golden.Folder);
}
