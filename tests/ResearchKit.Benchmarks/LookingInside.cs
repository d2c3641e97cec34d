using System.Diagnostics;
using System.Globalization;
using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>
/// What hook points, recordings and patching cost, as shares of a training step or of a forward pass of the same model. Each
/// number is the best of several rounds.
/// </summary>
internal static class LookingInside
{
    public const string Command = "inside";
    private const int Rounds = 5;

    public static void Run()
    {
        Compute.Seed(1);
        HookPoints();
        Recording();
        Patching();
    }

    private static void HookPoints()
    {
        using var model = new Gpt(GptConfig.Character);
        var tokens = randint(0, 65, [16, 64], int64);
        var step = Best(() =>
        {
            using var scope = NewDisposeScope();
            Losses.CrossEntropy(model.call(tokens), tokens).backward();
        });
        var points = model.modules().OfType<HookPoint>().ToList();
        const int Repeats = 100_000;
        var watched = 0;
        var one = Best(() =>
        {
            for (var i = 0; i < Repeats; i++)
                if (points[i % points.Count].IsWatched) watched++;
        }) / Repeats;
        Write($"{points.Count} unwatched hook points of the character GPT: {100 * one * points.Count / step:0.0000} % of a step");
    }

    private static void Recording()
    {
        using var noGrad = no_grad();
        using var model = new Gpt(GptConfig.Gpt2 with { VocabularySize = 512, ContextLength = 128, Dropout = 0 });
        model.eval();
        var tokens = randint(0, 512, [8, 128], int64);
        var plain = Best(() => model.call(tokens).Dispose());
        var all = Best(() => model.Record(tokens).Dispose());
        var withoutPatterns = new RecordingOptions
        {
            Names = ["*hook_*"],
            Filter = name => !name.EndsWith("hook_pattern", StringComparison.Ordinal)
                && !name.EndsWith("hook_attn_scores", StringComparison.Ordinal),
        };
        var fewer = Best(() => model.Record(tokens, withoutPatterns).Dispose());
        Write($"recording every hook point of a GPT of 12 layers on 8 × 128 tokens: {all / plain:0.00} of a forward pass");
        Write($"the same without patterns and scores: {fewer / plain:0.00} of a forward pass");
    }

    private static void Patching()
    {
        using var noGrad = no_grad();
        using var model = new Gpt(GptConfig.Gpt2 with
        {
            VocabularySize = 512,
            ContextLength = 64,
            Layers = 6,
            ModelWidth = 384,
            Heads = 6,
            Dropout = 0,
        });
        model.eval();
        var (clean, corrupted) = (randint(0, 512, [1, 64], int64), randint(0, 512, [1, 64], int64));
        var plain = Best(() => model.call(corrupted).Dispose());
        foreach (var site in new[] { PatchSite.ResidualPre, PatchSite.ResidualPost, PatchSite.HeadOut })
        {
            var cells = 0;
            var sweep = Best(() => cells = model.Patch(clean, corrupted, Target.Difference(3, 4), site).Values.Length);
            Write($"patching {site}, 6 layers of 384 channels, 64 tokens: {sweep / cells / plain:0.000} of a forward pass a cell");
        }
    }

    private static double Best(Action action)
    {
        action();
        return Enumerable.Range(0, Rounds).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }

    private static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
