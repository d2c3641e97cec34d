using BenchmarkDotNet.Attributes;
using Microsoft.DotNet.Interactive.Formatting;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>How long a tensor of 100 million elements takes to be shown; to reach: under 200 ms.</summary>
public class TensorDisplay
{
    private Tensor tensor = null!;

    [Params("float32", "bfloat16", "int64", "byte")]
    public string Dtype { get; set; } = "";

    [GlobalSetup]
    public void Setup() => tensor = randn(10_000, 10_000).mul_(100).to(Enum.Parse<ScalarType>(Dtype, ignoreCase: true));

    [GlobalCleanup]
    public void Cleanup() => tensor.Dispose();

    [Benchmark]
    public int Html() => tensor.ToDisplayString("text/html").Length;
}
