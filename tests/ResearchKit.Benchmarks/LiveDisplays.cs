using BenchmarkDotNet.Attributes;
using Microsoft.DotNet.Interactive.Formatting;
using ResearchKit.Formatting;
using ResearchKit.Kernel.Sessions;
using ResearchKit.Training;

namespace ResearchKit.Benchmarks;

/// <summary>
/// What a live display takes from the loop that updates it: an update that only notes the value, and, ten times a second at most,
/// the picture of a run. To reach: under 1 % of the time, so under 1 ms for a picture.
/// </summary>
/// <remarks>Measured apart, as a loop with a display and one without differ by less than two runs of the same loop do.</remarks>
public class LiveDisplays
{
    private readonly Session session = new(Path.GetTempPath());
    private readonly TrainingProgress progress = new(
        new TrainingHistory("a run", [.. Enumerable.Range(1, 1_000).Select(Report)]), TrainingState.Running);

    [GlobalSetup]
    public Task StartAsync() =>
        RunAsync("var shown = display(\"begin\"); void Update(int times) { for (var i = 0; i < times; i++) shown.Update(i); }");

    [Benchmark(OperationsPerInvoke = 1_000_000)]
    public Task Update() => RunAsync("Update(1_000_000);");

    [Benchmark]
    public string Picture() => progress.ToDisplayString("text/html") + progress.ToDisplayString("text/plain");

    private static StepReport Report(int step) =>
        new(step, 1_200, 4 / Math.Sqrt(step), 1e-3, 1, 10_000, TimeSpan.FromSeconds(step),
            step % 100 == 0 ? 4.1 / Math.Sqrt(step) : null);

    private async Task RunAsync(string code)
    {
        var outcome = await session.ExecuteAsync(code, 1, _ => { }).ConfigureAwait(false);
        if (outcome.Error is { } error) throw new InvalidOperationException(error.Message);
    }
}
