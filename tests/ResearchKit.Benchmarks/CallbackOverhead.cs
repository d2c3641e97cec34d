using System.Diagnostics;
using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Benchmarks;

/// <summary>
/// A training step with metrics, callbacks, a run record and a metric file, against the same step without them; both evaluate
/// four batches every twenty steps. Rounds alternate, so that other work on the machine meets both.
/// </summary>
internal static class CallbackOverhead
{
    public const string Command = "callbacks";
    private const int Rounds = 15, StepsOfRound = 20;

    public static void Run()
    {
        var folder = Directory.CreateTempSubdirectory("callbacks-");
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, folder.FullName);
        try
        {
            using var plain = Make(Objective.Of(Losses.CrossEntropy), []);
            using var full = Make(Objective.LanguageModel, [new Counter(), new Counter()]);
            using var first = plain.Run().GetEnumerator();
            using var second = full.Run().WriteTo(RunRecord.Start("callbacks", 1, new { Rounds })).GetEnumerator();
            Take(first);
            Take(second);
            var ratios = Enumerable.Range(0, Rounds).Select(round => Ratio(first, second, round % 2 == 0)).Order().ToList();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"a step with metrics, callbacks and record against the same without: {ratios[Rounds / 2]:0.000} (median of {Rounds} rounds, {ratios[1]:0.000} to {ratios[^2]:0.000})"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Ratio(IEnumerator<StepReport> plain, IEnumerator<StepReport> full, bool plainFirst)
    {
        var before = plainFirst ? Take(plain) : 0;
        var with = Take(full);
        return with / (plainFirst ? before : Take(plain));
    }

    private static double Take(IEnumerator<StepReport> steps)
    {
        var start = Stopwatch.GetTimestamp();
        for (var step = 0; step < StepsOfRound; step++) steps.MoveNext();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static Trainer Make(Objective objective, IReadOnlyList<TrainingCallback> callbacks)
    {
        Compute.Seed(1);
        var tokens = Enumerable.Range(0, 20_000).Select(i => (long)(i * i % 61)).ToArray();
        var model = new Gpt(GptConfig.Nano with
        {
            VocabularySize = 64,
            ContextLength = 64,
            ModelWidth = 128,
            Heads = 4,
            Layers = 4
        });
        var windows = new TextWindows(tokens, 64);
        return new Trainer(model, objective, new BatchLoader(windows, 8, 1), new TrainerOptions
        {
            Steps = 100_000,
            Schedule = _ => 1e-3,
            EvaluateEvery = StepsOfRound,
            EvaluationBatches = 4,
            Callbacks = callbacks,
        }, windows);
    }

    private sealed class Counter : TrainingCallback
    {
        private int steps;

        public override void StepBegins(Trainer trainer, int step) => steps++;

        public override void StepEnds(Trainer trainer, StepReport report) => steps++;
    }
}
