using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class StructuredPruningTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Names => [.. PruningCase.All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_choices_compute_what_the_masked_model_does(string name) => Check(name, choices: 3);

    [Theory]
    [Trait("Length", "long")]
    [MemberData(nameof(Names))]
    public void A_thousand_random_choices_compute_what_the_masked_models_do(string name) =>
        Check(name, choices: name is "inception" or "googlenet" ? 16 : 44);   // 1,000 of all families

    private static void Check(string name, int choices)
    {
        using var noGrad = no_grad();
        var one = PruningCase.All.Single(one => one.Name == name);
        random.manual_seed(12);
        var random_ = new Random(name.Length + choices);
        using var single = one.Model(ScalarType.Float32);
        using var wide = one.Model(ScalarType.Float64);
        for (var number = 0; number < choices; number++)
        {
            using var each = NewDisposeScope();
            var dtype = number % 3 == 2 ? ScalarType.Float64 : ScalarType.Float32;
            var model = dtype == ScalarType.Float64 ? wide : single;   // Remove leaves it as it is
            var channels = PruningCase.Choice(model, random_);
            using var smaller = StructuredPruning.Remove(model, channels);
            var expected = one.Masked(model, channels);
            var actual = one.Run(smaller);
            Assert.Equal(expected.shape, actual.shape);
            var difference = ((actual - expected).abs().max() / expected.abs().max()).to(ScalarType.Float64).item<double>();
            Assert.True(difference < (dtype == ScalarType.Float64 ? 1e-6 : 1e-5),
                $"{string.Join("; ", channels.Select(pair => $"{pair.Key}: {string.Join(", ", pair.Value)}"))}: off by {difference:g3}.");
        }
    }

    [Fact]
    public void Nothing_removed_is_a_copy()
    {
        foreach (var one in PruningCase.All)
        {
            using var model = one.Model(ScalarType.Float32);
            using var copy = StructuredPruning.Remove(model, new Dictionary<string, IReadOnlyList<int>>());
            var tensors = copy.state_dict();
            Assert.All(model.state_dict(), pair => Assert.True(pair.Value.Equals(tensors[pair.Key]), pair.Key));
            Assert.Equal(model.state_dict().Keys, tensors.Keys);
        }
    }

    [Fact]
    public void Every_second_layer_leaves_the_others_as_they_were()
    {
        using var model = new T5(T5Config.Nano with { Layers = 3, DecoderLayers = 4 });
        using var student = StructuredPruning.EverySecondLayer(model);
        Assert.Equal((2, 2), (student.Config.Layers, student.Config.DecoderLayers ?? student.Config.Layers));
        var (old, now) = (model.state_dict(), student.state_dict());
        foreach (var (own, source) in new[] { ("encoder.block.1", "encoder.block.2"), ("decoder.block.1", "decoder.block.2") })
            Assert.All(now.Where(pair => pair.Key.StartsWith(own, StringComparison.Ordinal)),
                pair => Assert.True(pair.Value.Equals(old[source + pair.Key[own.Length..]])));
        Assert.Contains("no second layer", Assert.Throws<ArgumentException>(() => StructuredPruning.EverySecondLayer(
            new Lstm(new() { InputWidth = 2, HiddenWidth = 2 }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_layer_of_a_T5_may_go_with_its_position_bias_kept()
    {
        using var model = new T5(T5Config.Nano with { Layers = 2 });
        using var smaller = StructuredPruning.Remove(model, "encoder.layers", 0);
        const string Table = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        Assert.True(model.state_dict()[Table].Equals(smaller.state_dict()[Table]));
        Assert.True(model.state_dict()["encoder.block.1.layer.0.SelfAttention.q.weight"].Equals(
            smaller.state_dict()["encoder.block.0.layer.0.SelfAttention.q.weight"]));
    }

    [Fact]
    public void Half_of_the_heads_and_channels_of_all_layers_is_a_plain_configuration()
    {
        using var model = new Llama(LlamaConfig.Nano with { KeyValueHeads = null });
        var half = ChannelImportance.Smallest(ChannelImportance.Magnitude(model), 0.5);
        using var smaller = StructuredPruning.Remove(model, half.Where(pair => pair.Key.Contains('.')).ToDictionary());
        Assert.Equal(LlamaConfig.Nano with { KeyValueHeads = null, Heads = 2, HeadWidth = 8, FeedForwardWidth = 44 },
            smaller.Config);
    }

    [Fact]
    public void The_original_keeps_its_weights_and_the_mode_is_the_same()
    {
        using var model = new Gpt(GptConfig.Nano);
        using var before = model.state_dict()["h.0.mlp.c_fc.weight"].clone();
        model.train();
        using var smaller = StructuredPruning.Remove(model, "h.0.mlp", 0, 5);
        Assert.True(smaller.training);
        Assert.All(smaller.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.True(before.Equals(model.state_dict()["h.0.mlp.c_fc.weight"]));
        using (no_grad()) smaller.state_dict()["wte.weight"].zero_();
        Assert.NotEqual(0, model.state_dict()["wte.weight"].abs().sum().item<float>());
    }

    [Fact]
    public void Generation_with_a_cache_and_packing_know_the_widths_of_each_layer()
    {
        using var noGrad = no_grad();
        using var gpt = StructuredPruning.Remove(new Gpt(GptConfig.Nano), "h.1.attn", 0, 2);
        using var llama = StructuredPruning.Remove(new Llama(LlamaConfig.Nano), "model.layers.0.self_attn", 1);
        var tokens = tensor(new long[] { 5, 9, 3, 60 }).unsqueeze(0);
        foreach (var model in new ILanguageModel[] { gpt, llama })
        {
            model.Network.eval();
            using var cache = new KeyValueCache(8);
            model.NextLogits(tokens[.., ..3], cache);
            var next = model.NextLogits(tokens[.., 3..], cache);
            var whole = ((nn.Module<Tensor, Tensor>)model).call(tokens)[.., ^1];
            Assert.True((next - whole).abs().max().item<float>() < 1e-5);
        }
        using var packed = gpt.PackForInference();
        Assert.True((packed.call(tokens) - gpt.call(tokens)).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Bad_choices_are_refused_in_one_sentence()
    {
        using var model = new Gpt(GptConfig.Nano);
        using var lstm = new Lstm(new() { InputWidth = 3, HiddenWidth = 4, Layers = 2 });
        void Refused<T>(string expected, nn.Module from, string group, params int[] channels) where T : Exception =>
            Assert.Contains(expected, Assert.Throws<T>(() => StructuredPruning.Remove(from, group, channels)).Message,
                StringComparison.Ordinal);
        Refused<KeyNotFoundException>("no group 'h.7.mlp'; it has width, layers, h.0.attn", model, "h.7.mlp", 0);
        Refused<ArgumentException>("h.0.attn has no channel 4; it has 0 to 3", model, "h.0.attn", 4);
        Refused<ArgumentException>("has no channel -1", model, "h.0.attn", -1);
        Refused<ArgumentException>("is given twice", model, "h.0.attn", 1, 1);
        Refused<ArgumentException>("All 4 channels of group h.0.attn would go", model, "h.0.attn", 0, 1, 2, 3);
        Refused<ArgumentException>("l0 would lose 1 units and l1 0", lstm, "l0", 2);
        Refused<ArgumentException>("not a model whose dependency groups are known", nn.Linear(2, 2), "width", 0);
        using var bert = new Bert(BertConfig.Nano);
        Assert.Contains("normalises after each addition", Assert.Throws<ArgumentException>(() => StructuredPruning.Mask(bert,
            new Dictionary<string, IReadOnlyList<int>> { ["layers"] = [0] })).Message, StringComparison.Ordinal);
        using var packed = model.PackForInference();
        Assert.Throws<InvalidOperationException>(() => StructuredPruning.Remove(packed, "h.0.attn", 1));
    }

    [Fact]
    public void Removing_leaves_no_tensors_behind()
    {
        using var model = new Gpt(GptConfig.Nano);
        StructuredPruning.Remove(model, "width", 1, 2).Dispose();
        var before = LiveTensors.Count;
        StructuredPruning.Remove(model, "width", 1, 2).Dispose();
        ChannelImportance.Magnitude(model);
        Assert.Equal(before, LiveTensors.Count);
    }
}
