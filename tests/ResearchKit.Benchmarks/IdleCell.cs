using BenchmarkDotNet.Attributes;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Benchmarks;

/// <summary>A cell that does nothing: what the session itself takes, compiler included; to reach: under 30 ms.</summary>
public class IdleCell
{
    private readonly Session session = new(Path.GetTempPath());
    private int count;

    [Benchmark]
    public Task<CellOutcome> One() => session.ExecuteAsync($"{++count} + 1", count, _ => { });
}
