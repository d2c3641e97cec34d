using BenchmarkDotNet.Attributes;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Benchmarks;

/// <summary>A loop of matrix products in a cell: alone, and with a display that each step updates; to reach: under 1 % apart.</summary>
public class LiveDisplays
{
    private const string Setup = "using TorchSharp; using ResearchKit.Formatting; var a = torch.randn(512, 512); var shown = display(\"begin\");";
    private const string Step = "using var b = a.mm(a);";
    private readonly Session session = new(Path.GetTempPath());
    private readonly List<Output> outputs = [];

    [GlobalSetup]
    public Task StartAsync() => RunAsync(Setup + $" void Alone() {{ for (var i = 0; i < 500; i++) {{ {Step} }} }} void Live() {{ for (var i = 0; i < 500; i++) {{ {Step} shown.Update($\"step {{i}} of 500\"); }} }}");

    [Benchmark(Baseline = true)]
    public Task Alone() => RunAsync("Alone();");

    [Benchmark]
    public Task Live() => RunAsync("Live();");

    private async Task RunAsync(string code)
    {
        outputs.Clear();
        var outcome = await session.ExecuteAsync(code, 1, outputs.Add).ConfigureAwait(false);
        if (outcome.Error is { } error) throw new InvalidOperationException(error.Message);
    }
}
