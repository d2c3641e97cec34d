using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class T5Tests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData("t5-a")]
    [InlineData("t5-v11-b")]
    public void It_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var (tokens, labels) = (golden["in.input_ids"], golden["in.labels"]);
        var mask = golden.Has("in.attention_mask") ? golden["in.attention_mask"] : null;
        using var cache = ActivationCache.Record(model);
        var memory = model.Encode(tokens, mask);
        var written = model.Decode(model.ShiftRight(labels), memory, mask);
        var logits = model.Head(written);
        golden.Check("out.logits", logits);
        golden.Check("out.encoder_last_hidden_state", memory);
        CheckInside(golden, cache, "encoder", model.Config.Layers, memory);
        CheckInside(golden, cache, "decoder", model.Config.DecoderLayers ?? model.Config.Layers, written);
        golden.CheckLoss(model, Losses.CrossEntropy(logits, labels));
        Near.Check("in one", logits, model.Logits(tokens, model.ShiftRight(labels), mask), 0);
    }

    [Theory]
    [InlineData("t5-a")]
    [InlineData("t5-v11-b")]
    public void Greedy_generation_equals_the_reference(string name)
    {
        using var golden = new GoldenCase(name);
        using var model = Reference(golden);
        var mask = golden.Has("gen.attention_mask") ? golden["gen.attention_mask"] : null;
        using var written = model.GenerateBatch(golden["gen.input_ids"], golden.GreedyOptions(), mask);
        golden.CheckGeneration(written);
    }

    [Fact]
    public void The_cache_does_not_change_generation()
    {
        using var model = new T5(T5Config.Nano);
        long[] source = [5, 6, 7, 8];
        var written = new List<long> { 0 };
        foreach (var token in model.Generate(source, SamplingOptions.Greedy with { MaximumTokens = 20 }))
        {
            var logits = model.call(tensor(source).unsqueeze(0), tensor(written.ToArray()).unsqueeze(0))[0, ^1];
            Assert.Equal(logits.argmax().item<long>(), token.Id);
            Assert.Equal(logits.softmax(0).max().item<float>(), token.Probability, tolerance: 1e-5);
            written.Add(token.Id);
        }
        Assert.Equal(21, written.Count);
        Assert.True(model.training);
    }

    [Fact]
    public void The_decoder_is_causal_and_sees_the_whole_source()
    {
        using var model = new T5(T5Config.Nano);
        var (source, written) = (randint(1, 65, [2, 7], int64), randint(1, 65, [2, 10], int64));
        var edited = written.clone();
        edited[.., ^1] = tensor(0L);
        Near.Check("all but the last", model.call(source, written)[.., ..^1], model.call(source, edited)[.., ..^1], 1e-5);
        var other = source.clone();
        other[.., ^1] = tensor(0L);
        Assert.True((model.call(source, written)[.., 0] - model.call(other, written)[.., 0]).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void Padding_does_not_change_the_outputs_of_real_tokens()
    {
        using var model = new T5(T5Config.Nano with { Gated = true, TieEmbeddings = false, Activation = Activation.GeluTanh });
        var (source, written) = (randint(1, 65, [2, 7], int64), randint(1, 65, [2, 5], int64));
        var padded = cat([randint(0, 65, [2, 3], int64), source, randint(0, 65, [2, 2], int64)], 1);
        var mask = cat([zeros([2, 3], int64), ones([2, 7], int64), zeros([2, 2], int64)], 1);
        Near.Check("logits", model.call(source, written), model.Logits(padded, written, mask), 1e-4);
    }

    [Fact]
    public void Labels_are_shifted_behind_the_start_token()
    {
        using var model = new T5(T5Config.Nano with { StartToken = 7, PaddingToken = 9 });
        var shifted = model.ShiftRight(tensor(new long[] { 1, 2, -100, 3 }).unsqueeze(0));
        Assert.Equal([7, 1, 2, 9], shifted.data<long>().ToArray());
    }

    [Fact]
    public void Parameter_names_equal_those_of_the_published_checkpoints()
    {
        foreach (var name in new[] { "t5-a", "t5-v11-b" })
        {
            using var golden = new GoldenCase(name);
            using var model = Reference(golden);
            Assert.Equal(golden.Weights().Keys.Where(IsKept).Order(), model.state_dict().Keys.Order());
        }
    }

    [Fact]
    public void It_learns_to_reverse_a_sequence()
    {
        using var model = new T5(T5Config.Nano with { Layers = 1 });
        using var optimizer = optim.Adam(model.parameters(), 2e-2);
        var source = arange(1, 17, 1, int64).view(4, 4);
        var labels = source.flip(1);
        for (var step = 0; step < 30; step++)
        {
            optimizer.zero_grad();
            Losses.CrossEntropy(model.call(source, model.ShiftRight(labels)), labels).backward();
            optimizer.step();
        }
        using var written = model.GenerateBatch(source, SamplingOptions.Greedy with { MaximumTokens = 4 });
        Assert.Equal(labels.contiguous().data<long>().ToArray(), written.Tokens[.., 1..].contiguous().data<long>().ToArray());
        Assert.Equal([4, 3, 2, 1], model.SearchBeams([1, 2, 3, 4], new BeamOptions { Beams = 3, MaximumTokens = 4 })[0].Tokens);
    }

    [Fact]
    public void A_forward_pass_and_generation_leak_no_tensor()
    {
        using var model = new T5(T5Config.Nano);
        using var tokens = randint(0, 65, [2, 10], int64);
        using var mask = ones_like(tokens);
        model.Logits(tokens, tokens, mask).Dispose();
        var before = LiveTensors.Count;
        model.Logits(tokens, tokens, mask).Dispose();
        model.GenerateBatch(tokens, SamplingOptions.Greedy with { MaximumTokens = 5, KeepLogits = true }, mask).Dispose();
        _ = model.Generate([1, 2], SamplingOptions.Greedy with { MaximumTokens = 5 }).Count();
        _ = model.SearchBeams([1, 2], new BeamOptions { MaximumTokens = 5 });
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = new T5(T5Config.Nano);
        Assert.Contains("2 texts to write for 3 to read", Refused(() => model.call(zeros([3, 4], int64), zeros([2, 4], int64))),
            StringComparison.Ordinal);
        Assert.Contains("Float32", Refused(() => model.Encode(zeros([3, 4]))), StringComparison.Ordinal);
        Assert.Contains("Token 65", Refused(() => model.Generate([65])), StringComparison.Ordinal);
        Assert.Contains("StartToken 65", Refused(() => new T5(T5Config.Nano with { StartToken = 65 })), StringComparison.Ordinal);
        Assert.Contains("cannot be laid out", Refused(() => RelativePositions.Buckets(zeros([1], int64), 2, 128, true)),
            StringComparison.Ordinal);
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static void CheckInside(GoldenCase golden, ActivationCache cache, string side, int layers, Tensor last)
    {
        golden.CheckEach($"out.{side}_hidden_states",
            [cache[$"{side}.hook_embed"], .. cache.Each(layers - 1, layer => $"{side}.block.{layer}.hook_resid_post"), last]);
        golden.CheckEach($"out.{side}_attentions",
            cache.Each(layers, layer => $"{side}.block.{layer}.layer.0.SelfAttention.hook_pattern"));
        if (side == "decoder")
            golden.CheckEach("out.cross_attentions",
                cache.Each(layers, layer => $"{side}.block.{layer}.layer.1.EncDecAttention.hook_pattern"));
    }

    private static bool IsKept(string name) =>
        !name.EndsWith("EncDecAttention.relative_attention_bias.weight", StringComparison.Ordinal);

    private static T5 Reference(GoldenCase golden) => T5.FromPretrained(golden.Folder);
}
