using System.Text.Json;
using ResearchKit.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Metrics;

/// <summary>
/// Every metric against scikit-learn, sacrebleu or its definition (Golden/make_metrics.py): at once, over uneven batches, and as
/// a sum of states.
/// </summary>
public sealed class GoldenMetricsTests : IDisposable
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllText(
        Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "metrics", "metrics.json"))).RootElement;

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Classifications => Names("classification");

    public static TheoryData<string> Binaries => Names("binary");

    public static TheoryData<string> Regressions => Names("regression");

    public static TheoryData<string> Texts => Names("texts");

    [Theory]
    [MemberData(nameof(Classifications))]
    public void Metrics_of_classes_are_those_of_scikit_learn(string name)
    {
        var golden = Golden.GetProperty("classification").GetProperty(name);
        var rows = golden.GetProperty("logits").Deserialize<double[][]>()!;
        var (logits, targets) = (tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1),
            tensor(golden.GetProperty("targets").Deserialize<long[]>()!));
        var (classes, bytes) = (rows[0].Length, golden.GetProperty("bytes").Deserialize<int[]>()!);
        Metric<Tensor>[] metrics =
        [
            Metric.Accuracy, Metric.TopK(2), Metric.LogLoss, Metric.Perplexity, Metric.BitsPerByte(bytes),
            Metric.RocAucOneVersusRest(classes),
            .. Enum.GetValues<Average>().SelectMany(average => new[]
            {
                Metric.Precision(classes, average), Metric.Recall(classes, average), Metric.F1(classes, average),
            }),
        ];
        foreach (var metric in metrics) Check(metric, golden, metric.Name, logits, targets);
        Check(Metric.CalibrationError(), golden, "calibration error 15", logits, targets);
        Check(Metric.CalibrationError(5), golden, "calibration error 5", logits, targets);
        Assert.Equal(golden.GetProperty("confusion").Deserialize<long[][]>()!.SelectMany(row => row),
            ConfusionMatrix.Of(logits, targets).Counts.Cast<long>());
    }

    [Theory]
    [MemberData(nameof(Binaries))]
    public void The_area_under_the_ROC_curve_is_that_of_scikit_learn(string name)
    {
        var golden = Golden.GetProperty("binary").GetProperty(name);
        Check(Metric.RocAuc, golden, Metric.RocAuc.Name, Numbers(golden, "scores"),
            tensor(golden.GetProperty("targets").Deserialize<long[]>()!));
    }

    [Theory]
    [MemberData(nameof(Regressions))]
    public void Metrics_of_numbers_are_those_of_scikit_learn(string name)
    {
        var golden = Golden.GetProperty("regression").GetProperty(name);
        foreach (var metric in new[] { Metric.MeanAbsoluteError, Metric.RootMeanSquaredError, Metric.RSquared })
            Check(metric, golden, metric.Name, Numbers(golden, "predictions"), Numbers(golden, "targets"));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Metrics_of_texts_are_those_of_sacrebleu_and_of_the_definition(string name)
    {
        var golden = Golden.GetProperty("texts").GetProperty(name);
        var pairs = golden.GetProperty("pairs").Deserialize<string[][]>()!.Select(pair => (pair[0], pair[1])).ToList();
        Dictionary<string, Metric<string>> metrics = new()
        {
            ["word error rate"] = Metric.WordErrorRate,
            ["character error rate"] = Metric.CharacterErrorRate,
            ["BLEU words"] = Metric.Bleu(),
            ["BLEU words smoothed"] = Metric.Bleu(isSmoothed: true),
            ["BLEU 13a"] = Metric.Bleu(words: Metric.Mteval13a),
            ["BLEU 13a smoothed"] = Metric.Bleu(words: Metric.Mteval13a, isSmoothed: true),
            ["BLEU-2 words"] = Metric.Bleu(2),
            ["chrF"] = Metric.ChrF(),
            ["chrF 4 beta 1"] = Metric.ChrF(4, 1),
        };
        Assert.Equal(Expected(golden).Keys.Order(StringComparer.Ordinal), metrics.Keys.Order(StringComparer.Ordinal));
        foreach (var (label, metric) in metrics)
        {
            Near(Expected(golden)[label], metric.Of(pairs), label);
            var backwards = pairs.AsEnumerable().Reverse().Select(pair => metric.Measure(pair.Item1, pair.Item2))
                .Aggregate((one, other) => one + other);
            Near(Expected(golden)[label], metric.Value(backwards), $"{label}, in another order");
        }
    }

    private static TheoryData<string> Names(string kind) =>
        [.. Golden.GetProperty(kind).EnumerateObject().Select(one => one.Name)];

    private static Tensor Numbers(JsonElement golden, string name) => tensor(golden.GetProperty(name).Deserialize<double[]>()!);

    private static Dictionary<string, double> Expected(JsonElement golden) =>
        golden.GetProperty("expected").Deserialize<Dictionary<string, double>>()!;

    /// <summary>At once, in batches of 1, 2, 3 …, and with the states of those batches added in pairs.</summary>
    private static void Check(Metric<Tensor> metric, JsonElement golden, string label, Tensor predictions, Tensor targets)
    {
        var expected = Expected(golden)[label];
        Near(expected, metric.Of(predictions, targets), label);
        var batches = new List<(Tensor, Tensor)>();
        for (long first = 0, size = 1; first < targets.shape[0]; first += size++)
        {
            var rows = Math.Min(size, targets.shape[0] - first);
            batches.Add((predictions.narrow(0, first, rows), targets.narrow(0, first, rows)));
        }
        Near(expected, metric.Of(batches), $"{label} over batches");
        var ranks = batches.Index().GroupBy(batch => batch.Index % 3)
            .Select(group => group.Select(batch => metric.Measure(batch.Item.Item1, batch.Item.Item2))
                .Aggregate((one, other) => one + other));
        Near(expected, metric.Value(ranks.Aggregate((one, other) => one + other)), $"{label} over ranks");
    }

    /// <summary>The sums are in float64; R² of numbers round 1000 loses some digits, sums of squares being large.</summary>
    private static void Near(double expected, double actual, string label) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-8 * Math.Max(1, Math.Abs(expected)),
            $"{label}: expected {expected}, got {actual}");
}
