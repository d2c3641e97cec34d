using BenchmarkDotNet.Attributes;
using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>One AdamW step on 150 tensors of 64×64: TorchSharp's loop over tensors against the fused one.</summary>
public class AdamWStep
{
    private readonly List<Parameter> parameters = [.. Enumerable.Range(0, 150).Select(_ => new Parameter(randn(64, 64)))];
    private FusedAdamW fused = null!;
    private optim.Optimizer loop = null!;

    [GlobalSetup]
    public void Setup()
    {
        foreach (var parameter in parameters) parameter.grad = randn(64, 64);
        fused = new FusedAdamW(parameters.Select((parameter, number) => ($"w{number}", parameter)));
        loop = optim.AdamW(parameters);
    }

    [Benchmark(Baseline = true)]
    public void TorchSharp()
    {
        using var scope = NewDisposeScope();
        loop.step();
    }

    [Benchmark]
    public void Fused() => fused.Step();
}
