using ResearchKit.Models;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class KeyValueCacheTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string> Kinds => ["GPT", "Llama", "GPT with rotary positions"];

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Codes_of_8_bits_hardly_change_the_logits_for_a_third_of_the_memory(string kind)
    {
        using var noGrad = no_grad();
        var model = Model(kind);
        var tokens = randint(0, 17, [2, 12], int64, generator: new Generator(3));
        Tensor Read(KeyValueCache cache)
        {
            var logits = new List<Tensor> { model.NextLogits(tokens[.., ..3], cache) };
            for (var at = 3; at < 12; at++) logits.Add(model.NextLogits(tokens.narrow(1, at, 1), cache));
            return stack(logits);
        }
        using var plain = new KeyValueCache(12);
        using var small = new KeyValueCache(12, isInt8: true);
        var (exact, rounded) = (Read(plain), Read(small));
        Assert.InRange(((rounded - exact).norm() / exact.norm()).item<float>(), 1e-6, 0.01);
        // 8 channels a head: 8 + 4 bytes instead of 32
        Assert.Equal(plain.Bytes * 12 / 32, small.Bytes);
        model.Network.Dispose();
    }

    [Fact]
    public void An_error_of_a_stored_vector_is_at_most_half_a_step()
    {
        var keys = randn([2, 3, 5, 16], generator: new Generator(1));
        keys.select(2, 1).zero_();
        using var cache = new KeyValueCache(5, isInt8: true);
        var (read, same) = cache.Extend(0, keys, keys);
        Assert.True(read.Equals(same));
        var steps = keys.abs().amax([-1], keepdim: true) / 127;
        Assert.True(((read - keys).abs() <= (steps * 0.50001) + 1e-7).all().item<bool>());
        cache.Advance(5);
        cache.Reorder(tensor(new long[] { 1, 1, 0 }));
        using var other = new KeyValueCache(5, isInt8: true);
        Assert.True(other.Extend(0, keys.index_select(0, tensor(new long[] { 1, 1, 0 })), keys[0..].index_select(0,
            tensor(new long[] { 1, 1, 0 }))).Keys.Equals(read.index_select(0, tensor(new long[] { 1, 1, 0 }))));
    }

    [Fact]
    public void Generation_takes_the_small_cache_as_an_option()
    {
        var model = Model("GPT");
        var options = SamplingOptions.Greedy with { MaximumTokens = 8, HasInt8Cache = true };
        Assert.Equal(8, model.Generate([1, 2, 3], options).Count());
        model.Network.Dispose();
    }

    private static ILanguageModel Model(string kind)
    {
        Compute.Seed(5);
        ILanguageModel model = kind == "Llama" ? new Llama(LlamaConfig.Nano with { VocabularySize = 17 })
            : new Gpt(GptConfig.Nano with
            {
                VocabularySize = 17,
                Positions = kind == "GPT" ? ResearchKit.Layers.Positions.Learned : ResearchKit.Layers.Positions.Rotary,
            });
        model.Network.eval();
        return model;
    }
}
