using System.Globalization;
using BenchmarkDotNet.Attributes;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// GPT-2 (124 million parameters, 498 MB) from a folder into a model; to reach: under 2 s, and at the peak no more than 1.2
/// times its size in memory.
/// </summary>
public class CheckpointLoad
{
    private readonly string folder = Directory.CreateTempSubdirectory("researchkit-benchmark-").FullName;

    [GlobalSetup]
    public void Setup()
    {
        using (var model = new Gpt(GptConfig.Gpt2)) model.SavePretrained(folder);
        if (OperatingSystem.IsLinux()) Console.WriteLine($"{Peak(mapped: false)}\n{Peak(mapped: true)}");
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(folder, recursive: true);

    [Benchmark(Baseline = true)]
    public void MakeAtRandom() => new Gpt(GptConfig.Gpt2).Dispose();

    /// <summary>On the pages of the file, and then each number looked at once.</summary>
    [Benchmark]
    public double Mapped() => Load(mapped: true);

    /// <summary>Into memory of its own, and then each number looked at once.</summary>
    [Benchmark]
    public double Read() => Load(mapped: false);

    /// <summary>From the call to the model alone.</summary>
    [Benchmark]
    public void FromPretrained() => Gpt.FromPretrained(folder).Dispose();

    private double Load(bool mapped)
    {
        using var scope = NewDisposeScope();
        using var model = Gpt.FromPretrained(folder, mapped);
        return model.parameters().Sum(parameter => parameter.detach().sum().item<float>());
    }

    /// <summary>
    /// How far the process's resident memory rises above where it was, while a model is loaded and each number is looked at.
    /// </summary>
    private string Peak(bool mapped)
    {
        var before = Compute.ResetPeakMemory() ?? 0;
        Load(mapped);
        return string.Create(CultureInfo.InvariantCulture,
            $"// peak memory, {(mapped ? "mapped" : "read")}: {(Compute.PeakMemory - before) / (4.0 * 124_439_808):0.00} times the parameters'");
    }
}
