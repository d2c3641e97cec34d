using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class SamplerTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Tensor logits = tensor(new[] { 0.1f, 0.4f, 0.2f, 0.3f }).log();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Temperature_zero_takes_the_most_likely_token() =>
        Assert.All(Choices(SamplingOptions.Greedy, 20), id => Assert.Equal(1, id));

    [Fact]
    public void Top_k_takes_only_the_k_most_likely_tokens() =>
        Assert.Equal([1, 3], Choices(new SamplingOptions { TopK = 2 }, 200).Distinct().Order());

    [Theory]
    [InlineData(0.39, new long[] { 1 })]
    [InlineData(0.41, new long[] { 1, 3 })]
    [InlineData(0.71, new long[] { 1, 2, 3 })]
    [InlineData(1.0, new long[] { 0, 1, 2, 3 })]
    public void Top_p_takes_the_most_likely_tokens_until_they_reach_p(double p, long[] expected) =>
        Assert.Equal(expected, Choices(new SamplingOptions { TopP = p }, 300).Distinct().Order());

    [Fact]
    public void Sampling_follows_the_distribution_and_the_seed()
    {
        var choices = Choices(new SamplingOptions(), 4000);
        Assert.InRange(choices.Count(id => id == 1) / 4000.0, 0.37, 0.43);
        Assert.Equal(choices, Choices(new SamplingOptions(), 4000));
        Assert.NotEqual(choices, Choices(new SamplingOptions { Seed = 1 }, 4000));
    }

    [Fact]
    public void A_high_temperature_makes_the_distribution_almost_uniform()
    {
        var choices = Choices(new SamplingOptions { Temperature = 100 }, 4000);
        Assert.InRange(choices.Count(id => id == 0) / 4000.0, 0.22, 0.28);
    }

    [Fact]
    public void A_stop_token_ends_the_text()
    {
        using var model = new Gpt(GptConfig.Nano);
        var first = model.Generate([1], SamplingOptions.Greedy with { MaximumTokens = 1 }).Single().Id;
        Assert.Single(model.Generate([1], SamplingOptions.Greedy with { MaximumTokens = 9, StopToken = first }));
        Assert.Empty(model.Generate([1], new SamplingOptions { MaximumTokens = 0 }));
    }

    [Fact]
    public void Generation_restores_the_training_mode()
    {
        using var model = new Gpt(GptConfig.Nano);
        model.train();
        _ = model.Generate([1], new SamplingOptions { MaximumTokens = 2 }).Count();
        Assert.True(model.training);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        using var model = new Gpt(GptConfig.Nano);
        foreach (var options in new SamplingOptions[] { new() { Temperature = -1 }, new() { Temperature = double.NaN },
            new() { TopK = 0 },
            new() { TopP = 0 }, new() { TopP = 1.1 }, new() { MaximumTokens = -1 } })
            Assert.Throws<ArgumentException>(() => model.Generate([1], options));
    }

    private List<long> Choices(SamplingOptions options, int count)
    {
        using var sampler = new Sampler(options, logits.device);
        return [.. Enumerable.Range(0, count).Select(_ => sampler.Choose(logits).Id)];
    }
}
