using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tests;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// What a small GPT's training holds after 50 steps and after 1,000, evaluations included: resident memory (to reach: less than 1 %
/// more), living tensors, and what of the memory native code has in use; the rest of what grows lies free in the C library's heap. A
/// length of time would not say it: this is a command, not a benchmark.
/// </summary>
internal static class TrainerMemory
{
    public const string Command = "trainer-memory";

    private const int Early = 50, Late = 1000;

    public static void Run()
    {
        var random = new Random(1);
        long[] text = [.. Enumerable.Range(0, 100_000).Select(_ => (long)random.Next(65))];
        using var model = new Gpt(GptConfig.Character with { Dropout = 0.1 });
        using var trainer = new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(text, 64), 8),
            new TrainerOptions { Steps = Late, EvaluateEvery = 100, EvaluationBatches = 4 }, new TextWindows(text[..10_000], 64));
        var early = 0L;
        foreach (var report in trainer.Run())
        {
            if (report.Step is not (Early or Late)) continue;
            var bytes = Environment.WorkingSet;
            if (report.Step == Early) early = bytes;
            var inUse = NativeHeap.IsKnown ? string.Create(CultureInfo.InvariantCulture, $"{NativeHeap.Bytes() / 1e6:0.0} MB of the native heap in use, ") : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"step {report.Step}: {bytes / 1e6:0.0} MB resident ({(bytes / (double)early) - 1:+0.00 %;-0.00 %}), {inUse}{Tensor.TotalCount} tensors"));
        }
    }
}
