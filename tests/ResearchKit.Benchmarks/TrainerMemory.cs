using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tests;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// What a GPT's training holds after 50 steps and after 1,000, evaluations included: resident memory (to reach: less than 1 %
/// more) and its mean over the fifty steps from there and to there, living tensors, and what of the memory native code has in
/// use; the rest of what grows lies free in the C library's heap. A length of time would not say it: this is a command, not a
/// benchmark.
/// </summary>
internal static class TrainerMemory
{
    public const string Command = "trainer-memory", Large = "large", Tiny = "tiny";

    private const int Early = 50, Reports = 20;

    /// <param name="size">
    /// <see cref="Tiny"/> for 10,000 steps of a tiny GPT; <see cref="Large"/> for 1,000 of the GPT of <see cref="GptTraining"/>,
    /// which take a quarter of an hour; else 1,000 of a small one.
    /// </param>
    public static void Run(string? size)
    {
        var steps = size == Tiny ? 10_000 : 1_000;
        var random = new Random(1);
        long[] text = [.. Enumerable.Range(0, 100_000).Select(_ => (long)random.Next(65))];
        using var model = size == Large
            ? GptTraining.Model() : new Gpt((size == Tiny ? GptConfig.Nano : GptConfig.Character) with { Dropout = 0.1 });
        var context = model.Config.ContextLength;
        using var trainer = new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(text, context), 8),
            new TrainerOptions { Steps = steps, EvaluateEvery = steps / 10, EvaluationBatches = 4 },
                new TextWindows(text[..10_000], context));
        var resident = new List<double>();   // after each step from Early on, MB
        foreach (var report in trainer.Run())
        {
            if (report.Step < Early) continue;
            resident.Add(Environment.WorkingSet / 1e6);
            if (report.Step % (steps / Reports) != 0) continue;
            var inUse = NativeHeap.IsKnown
                ? string.Create(CultureInfo.InvariantCulture, $"{NativeHeap.Bytes() / 1e6:0.0} MB of the native heap in use, ")
                : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"step {report.Step}: {resident[^1]:0.0} MB resident ({More(resident[0], resident[^1])}), {inUse}{Tensor.TotalCount} tensors"));
        }
        var (first, last) = (resident.Take(Early).Average(), resident.TakeLast(Early).Average());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"mean of {Early} steps from {Early} on {first:0.0} MB, to {steps} {last:0.0} MB ({More(first, last)})"));
    }

    private static string More(double before, double now) =>
        ((now / before) - 1).ToString("+0.00 %;-0.00 %", CultureInfo.InvariantCulture);
}
