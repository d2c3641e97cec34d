using BenchmarkDotNet.Attributes;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// Greedy generation of the last 16 of 128 tokens: with the cache of keys and values, against reading all again for each token.
/// </summary>
[WarmupCount(1)]
[IterationCount(3)]
public class Generation
{
    private const int Length = 128, Written = 16;
    private Gpt model = null!;
    private long[] prompt = [];

    /// <summary>
    /// GPT-2 is the shape of its smallest published model (124 million parameters); Small has 6 layers, 6 heads and 384 channels.
    /// </summary>
    [Params("Small", "GPT-2")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        manual_seed(1);
        var small = new GptConfig { VocabularySize = 65, ContextLength = 256, ModelWidth = 384, Heads = 6, Layers = 6 };
        model = new Gpt(Shape == "GPT-2" ? GptConfig.Gpt2 : small);
        model.eval();
        prompt = [.. Enumerable.Range(0, Length - Written).Select(token => (long)(token * 7 % 65))];
        if (!Cached().SequenceEqual(Recomputed())) throw new InvalidOperationException("The two ways write different texts.");
    }

    [GlobalCleanup]
    public void Cleanup() => model.Dispose();

    [Benchmark(Baseline = true)]
    public long[] Recomputed()
    {
        List<long> text = [.. prompt];
        while (text.Count < Length) text.Add(Next(text));
        return [.. text.Skip(prompt.Length)];
    }

    [Benchmark]
    public long[] Cached() =>
        [.. model.Generate(prompt, SamplingOptions.Greedy with { MaximumTokens = Written }).Select(token => token.Id)];

    private long Next(List<long> text)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var features = model.Features(tensor(text.ToArray()).unsqueeze(0));
        return model.Head(features[.., ^1]).argmax().item<long>();
    }
}
