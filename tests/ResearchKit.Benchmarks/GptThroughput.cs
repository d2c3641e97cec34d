using BenchmarkDotNet.Attributes;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// Tokens per second of a model of GPT-2's shape (124 million parameters) that writes one token at a time, beside what the
/// memory can do: each token needs each weight once.
/// </summary>
/// <remarks>
/// The baseline adds up as many float32 numbers as the model has, on all cores, so the column of ratios says by how much a token
/// takes longer than its weights take to be read: the share of the memory's bandwidth is 1 / ratio for float32, and 1 / (2 ×
/// ratio) for bfloat16, whose weights are half as large. The operations per second are tokens.
/// </remarks>
[WarmupCount(1)]
[IterationCount(6)]
[OperationsPerSecond]
public class GptThroughput
{
    private const int Tokens = 16;
    private Gpt single = null!, half = null!;
    private Tensor numbers = null!;

    [GlobalSetup]
    public void Setup()
    {
        single = new Gpt(GptConfig.Gpt2);
        half = new Gpt(GptConfig.Gpt2);
        half.load_state_dict(single.state_dict());
        half.bfloat16();
        numbers = ones(single.parameters().Sum(parameter => parameter.numel()));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        single.Dispose();
        half.Dispose();
        numbers.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void ReadingTheWeights() => numbers.sum().Dispose();

    [Benchmark(OperationsPerInvoke = Tokens)]
    public int Writing() => Write(single);

    [Benchmark(OperationsPerInvoke = Tokens)]
    public int WritingInBfloat16() => Write(half);

    private static int Write(Gpt model) => model.Generate([1L], SamplingOptions.Greedy with { MaximumTokens = Tokens }).Count();
}
