using System.Globalization;
using BenchmarkDotNet.Attributes;
using ResearchKit.Checkpoints;
using ResearchKit.Models;

namespace ResearchKit.Benchmarks;

/// <summary>
/// GPT-2 (124 million parameters, 498 MB) from a folder into a model; to reach: under 2 s, and at the peak no more than 1.2 times its size in memory.
/// </summary>
public class CheckpointLoad
{
    private readonly string folder = Directory.CreateTempSubdirectory("researchkit-benchmark-").FullName;

    [GlobalSetup]
    public void Setup()
    {
        using (var model = new Gpt(GptConfig.Gpt2)) model.SavePretrained(folder);
        if (OperatingSystem.IsLinux()) Console.WriteLine(Peak());
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(folder, recursive: true);

    [Benchmark(Baseline = true)]
    public void MakeAtRandom() => new Gpt(GptConfig.Gpt2).Dispose();

    [Benchmark]
    public void FromPretrained() => Gpt.FromPretrained(folder).Dispose();

    /// <summary>How far the process's resident memory rises above where it was, while a model is loaded.</summary>
    private string Peak()
    {
        GC.Collect();
        File.WriteAllText("/proc/self/clear_refs", "5");   // the peak starts anew
        var before = Kilobytes("VmRSS");
        using var model = Gpt.FromPretrained(folder);
        var size = model.parameters().Sum(parameter => parameter.numel() * parameter.element_size());
        return string.Create(CultureInfo.InvariantCulture, $"// peak memory of FromPretrained: {(Kilobytes("VmHWM") - before) * 1024.0 / size:0.00} times the parameters' {size / 1e6:0} MB");
    }

    private static long Kilobytes(string field) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
