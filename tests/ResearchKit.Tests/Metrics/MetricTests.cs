using ResearchKit.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Metrics;

public sealed class MetricTests : IDisposable
{
    private const int Classes = 4;
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    private static readonly Dictionary<string, Metric<Tensor>> OfClasses = new()
    {
        ["accuracy"] = Metric.Accuracy,
        ["top-2"] = Metric.TopK(2),
        ["precision"] = Metric.Precision(Classes),
        ["recall"] = Metric.Recall(Classes, Average.Weighted),
        ["F1"] = Metric.F1(Classes),
        ["micro F1"] = Metric.F1(Classes, Average.Micro),
        ["calibration"] = Metric.CalibrationError(),
        ["AUC"] = Metric.RocAucOneVersusRest(Classes),
        ["perplexity"] = Metric.Perplexity,
        ["bits"] = Metric.BitsPerByte([1, 2, 3, 4]),
    };

    private static readonly Dictionary<string, Metric<Tensor>> OfNumbers = new()
    {
        ["MAE"] = Metric.MeanAbsoluteError,
        ["RMSE"] = Metric.RootMeanSquaredError,
        ["R2"] = Metric.RSquared,
    };

    private static readonly Dictionary<string, Metric<string>> OfTexts = new()
    {
        ["CER"] = Metric.CharacterErrorRate,
        ["WER"] = Metric.WordErrorRate,
        ["BLEU"] = Metric.Bleu(2),
        ["chrF"] = Metric.ChrF(),
        ["exact"] = Metric.ExactMatch,
    };

    public static TheoryData<string> ClassMetrics => [.. OfClasses.Keys];

    public static TheoryData<string> NumberMetrics => [.. OfNumbers.Keys];

    public static TheoryData<string> TextMetrics => [.. OfTexts.Keys];

    [Theory]
    [MemberData(nameof(ClassMetrics))]
    public void A_classification_metric_is_exact_over_uneven_batches(string name)
    {
        var metric = OfClasses[name];
        manual_seed(1);
        var (logits, targets) = (randn(50, Classes), randint(0, Classes, [50], int64));
        targets[3] = tensor(-100L);
        var parts = new[] { (0, 1), (1, 30), (31, 19) }.Select(part =>
            (logits.narrow(0, part.Item1, part.Item2), targets.narrow(0, part.Item1, part.Item2)));
        Assert.Equal(metric.Of(logits, targets), metric.Of(parts), 12);
    }

    [Theory]
    [MemberData(nameof(NumberMetrics))]
    public void A_regression_metric_is_exact_over_uneven_batches(string name)
    {
        var metric = OfNumbers[name];
        manual_seed(2);
        var (predicted, target) = (randn(20), randn(20));
        Assert.Equal(metric.Of(predicted, target), metric.Of([(predicted[..3], target[..3]), (predicted[3..], target[3..])]), 10);
    }

    [Theory]
    [MemberData(nameof(TextMetrics))]
    public void A_perfect_prediction_has_the_best_possible_value(string name)
    {
        var metric = OfTexts[name];
        string[] references = ["the cat sat on the mat", "a dog barked", "naïve 🙂 café"];
        var perfect = metric.Of(references.Select(text => (text, text)));
        var wrong = metric.Of(references.Select(text => (text.Replace('a', 'o'), text)));
        Assert.True(metric.IsBetter(perfect, wrong), $"{perfect} against {wrong}");
        Assert.Equal(metric.HigherIsBetter ? metric.Unit == "of 100" ? 100 : 1 : 0, perfect, 9);
    }

    [Fact]
    public void Values_equal_those_computed_by_hand()
    {
        var logits = tensor(new float[,] { { 2, 1, 0 }, { 0, 3, 1 }, { 1, 0, 0.5f }, { 0, 1, 2 } });
        var targets = tensor(new long[] { 0, 1, 2, 1 });
        Assert.Equal(0.5, Metric.Accuracy.Of(logits, targets));
        Assert.Equal(1, Metric.TopK(2).Of(logits, targets));
        // class 0: precision 1/2, recall 1; class 1: 1, 1/2; class 2: 0, 0
        Assert.Equal(0.5, Metric.Precision(3).Of(logits, targets), 12);
        Assert.Equal(0.5, Metric.Recall(3).Of(logits, targets), 12);
        Assert.Equal(4.0 / 9, Metric.F1(3).Of(logits, targets), 12);
        Assert.Equal(0.5, Metric.F1(3, Average.Micro).Of(logits, targets), 12);
        Assert.Equal((0.5 + 1 + 0 + 1) / 4, Metric.Precision(3, Average.Weighted).Of(logits, targets), 12);
        Assert.Equal(Math.Exp(nn.functional.cross_entropy(logits, targets).item<float>()), Metric.Perplexity.Of(logits, targets),
            5);
        Assert.Equal(1.75, Metric.MeanAbsoluteError.Of(tensor(new[] { 1.0, 2, 3, 4 }), tensor(new[] { 1.0, 4, 0, 2 })));
        Assert.Equal(1 - (17 / 8.75), Metric.RSquared.Of(tensor(new[] { 1.0, 2, 3, 4 }), tensor(new[] { 1.0, 4, 0, 2 })), 12);
    }

    [Fact]
    public void The_area_under_an_ROC_curve_counts_ties_as_half()
    {
        var scores = tensor(new[] { 0.1f, 0.4f, 0.35f, 0.8f });
        Assert.Equal(0.75, Metric.RocAuc.Of(scores, tensor(new long[] { 0, 0, 1, 1 })));   // scikit-learn's own example
        Assert.Equal(0.5, Metric.RocAuc.Of(zeros(6), tensor(new long[] { 0, 1, 0, 1, 1, 1 })));
        Assert.True(double.IsNaN(Metric.RocAuc.Of(scores, zeros([4], int64))));
        var logits = stack([-scores, scores], 1);
        Assert.Equal(0.75, Metric.RocAuc.Of(logits, tensor(new long[] { 0, 0, 1, 1 })));
    }

    [Fact]
    public void Calibration_compares_confidence_with_accuracy()
    {
        // Two predictions of confidence 0.75 of which one is right, two of 0.95 that are right.
        var logits = tensor(new[] { 0.75, 0.75, 0.95, 0.95 }.Select(share => Math.Log(share / (1 - share)))
            .ToArray()).unsqueeze(1);
        logits = cat([logits, zeros_like(logits)], 1);
        Assert.Equal((0.25 + 0.05) / 2, Metric.CalibrationError(10).Of(logits, tensor(new long[] { 0, 1, 0, 0 })), 9);
    }

    [Fact]
    public void Text_metrics_equal_those_computed_by_hand()
    {
        Assert.Equal(2.0 / 6, Metric.WordErrorRate.Of("the cat sit on mat", "the cat sat on the mat"), 12);
        Assert.Equal(3.0 / 7, Metric.CharacterErrorRate.Of("kitten", "sitting"), 12);
        // n-grams in common: 5 of 6, 4 of 5, 3 of 4, 2 of 3; the prediction is as long as the reference.
        Assert.Equal(100 * Math.Pow(5.0 / 6 * (4.0 / 5) * (3.0 / 4) * (2.0 / 3), 0.25),
            Metric.Bleu().Of("a cat sat on the mat", "the cat sat on the mat"), 9);
        Assert.Equal(0, Metric.Bleu().Of("no word of it", "the cat sat"));
        // Common unigrams 3 of 4 and 3 of 3, bigrams 2 of 3 and 2 of 2: precision (3/4 + 2/3)/2, recall 1.
        var precision = (0.75 + (2.0 / 3)) / 2;
        Assert.Equal(100 * 5 * precision / ((4 * precision) + 1), Metric.ChrF(order: 2).Of("ab cd", "a bc"), 9);
    }

    [Fact]
    public void NaN_is_never_better()
    {
        Assert.False(Metric.Accuracy.IsBetter(double.NaN, 0.1));
        Assert.True(Metric.Accuracy.IsBetter(0.1, double.NaN));
        Assert.True(Metric.Perplexity.IsBetter(2, 3));
        Assert.False(Metric.Perplexity.IsBetter(3, 3));
    }

    [Fact]
    public void Invalid_targets_and_shapes_are_refused()
    {
        var logits = zeros(2, 3);
        Assert.Contains("Targets range from 0 to 3",
            Assert.Throws<ArgumentException>(() => Metric.Accuracy.Of(logits, tensor(new long[] { 0, 3 }))).Message,
            StringComparison.Ordinal);
        Assert.Contains("[2, 3] and targets [3]",
            Assert.Throws<ArgumentException>(() => Metric.Accuracy.Of(logits, zeros([3], int64))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Metric.RocAuc.Of(zeros(2), tensor(new long[] { 0, 2 })));
        Assert.True(double.IsNaN(Metric.Accuracy.Of(logits, full([2], -100L, int64))));
    }

    [Fact]
    public void A_custom_metric_is_made_of_two_functions()
    {
        var bias = new Metric<Tensor>("bias", "kg", (output, target) =>
            new((output - target).sum().item<float>(), target.numel()), state => state.Sums[0] / state.Sums[1]);
        Assert.Equal(0.5, bias.Of([(ones(2), zeros(2)), (zeros(2), zeros(2))]));
        Assert.Equal("bias (kg, higher is better)", bias.ToString());
    }

    [Fact]
    public void Confusion_matrices_count_predictions_and_can_be_added()
    {
        var logits = nn.functional.one_hot(tensor(new long[] { 0, 1, 1, 2 }), 3).to(float32);
        var one = ConfusionMatrix.Of(logits, tensor(new long[] { 0, 1, 2, -100 }), labels: ["cat", "dog", "hen"]);
        Assert.Equal(new long[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 1, 0 } }, one.Counts);
        var two = one + one;
        Assert.Equal((6, 4.0 / 6, 0.5), (two.Total, two.Accuracy, two.Precision(1)));
        Assert.Equal(["cat", "dog", "hen"], two.Labels);
        Assert.Contains("hen    0    2    0", two.ToString(), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ConfusionMatrix.Of(logits, zeros([4], int64), labels: ["cat"]));
    }
}
