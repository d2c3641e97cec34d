using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ResearchKit.Tests.Notebooks;

/// <summary>
/// What each notebook found, as its committed run recorded it: a run that no longer finds it must not be committed unnoticed.
/// </summary>
public sealed class HeadlineTests
{
    [Theory]
    [InlineData("01-train-a-gpt", "held-out loss before", 4.0, 4.6)]
    [InlineData("01-train-a-gpt", "held-out loss after", 1.5, 1.75)]
    [InlineData("02-attention-and-positions", "held-out loss, Rotary", 1.85, 2.15)]
    [InlineData("02-attention-and-positions", "held-out loss, None", 2.25, 2.5)]
    [InlineData("03-pretrain-and-tune-bert", "held-out loss, BERT", 3.3, 3.9)]
    [InlineData("03-pretrain-and-tune-bert", "held-out loss, frequencies", 5.7, 6)]
    [InlineData("03-pretrain-and-tune-bert", "test accuracy, naive Bayes", 0.8, 0.86)]
    [InlineData("03-pretrain-and-tune-bert", "test accuracy, fresh BERT, seed 1337", 0.7, 0.82)]
    [InlineData("03-pretrain-and-tune-bert", "test accuracy, fresh BERT, larger weights, seed 1337", 0.63, 0.75)]
    [InlineData("03-pretrain-and-tune-bert", "test accuracy, pre-trained BERT, seed 1337", 0.62, 0.74)]
    [InlineData("04-spelling-to-sound-with-t5", "phoneme error rate", 0.1, 0.25)]
    [InlineData("04-spelling-to-sound-with-t5", "word accuracy", 0.35, 0.6)]
    [InlineData("05-convolutional-networks", "test accuracy, VGG", 0.72, 0.9)]
    [InlineData("05-convolutional-networks", "test accuracy, ResNet", 0.8, 0.92)]
    [InlineData("05-convolutional-networks", "test accuracy, GoogLeNet", 0.75, 0.9)]
    [InlineData("05-convolutional-networks", "test accuracy, Inception v3", 0.65, 0.85)]
    [InlineData("05-convolutional-networks", "test accuracy, ViT", 0.55, 0.7)]
    [InlineData("06-speech-with-lstm-and-gru", "test accuracy, Gru, en es, seed 1337", 0.93, 1)]
    [InlineData("06-speech-with-lstm-and-gru", "test accuracy, Lstm, en es, seed 1337", 0.93, 1)]
    [InlineData("06-speech-with-lstm-and-gru", "digit error rate, 2 to 5 digits", 0, 0.03)]
    [InlineData("06-speech-with-lstm-and-gru", "digit error rate, 10 digits", 0, 0.05)]
    [InlineData("06-speech-with-lstm-and-gru", "digit error rate, 2 to 5 digits, noisy line", 0.2, 0.6)]
    [InlineData("07-newer-architectures", "held-out loss, MultiHead", 2.05, 2.35)]
    [InlineData("07-newer-architectures", "held-out loss, Llama", 2.05, 2.35)]
    [InlineData("07-newer-architectures", "held-out loss, Lstm", 2.6, 3.1)]
    [InlineData("07-newer-architectures", "held-out loss, Gru", 2.4, 2.75)]
    [InlineData("07-newer-architectures", "held-out loss, StateSpace", 1.8, 2.1)]
    [InlineData("08-what-makes-training-faster", "loss, trainer", 2.4, 2.7)]
    [InlineData("09-optimizer-race", "held-out loss, AdamW", 2.35, 2.55)]
    [InlineData("09-optimizer-race", "held-out loss, Muon", 2.1, 2.35)]
    [InlineData("09-optimizer-race", "held-out loss, SOAP", 1.95, 2.25)]
    [InlineData("12-what-weights-look-like", "CKA of the last stage, two seeds", 0.8, 1)]
    [InlineData("12-what-weights-look-like", "CKA of the last stage, untrained", -0.1, 0.6)]
    [InlineData("12-what-weights-look-like", "superposition begins, p = 0.3", 0.75, 0.95)]
    public void Each_recorded_metric_is_within_its_range(string notebook, string metric, double least, double most) =>
        Assert.InRange(Recorded(notebook, metric), least, most);

    [Fact]
    public void Rotary_positions_beat_no_positions_and_a_trained_model_beats_a_bigram_model()
    {
        Assert.True(Recorded("02-attention-and-positions", "held-out loss, Rotary") < Recorded("02-attention-and-positions",
            "held-out loss, None") - 0.2);
        Assert.True(Recorded("01-train-a-gpt", "held-out loss after") < Recorded("01-train-a-gpt", "held-out loss of pairs")
            - 0.5);
    }

    [Fact]
    public void Faster_training_and_gradient_accumulation_reach_the_same_loss()
    {
        double Loss(string what) => Recorded("08-what-makes-training-faster", $"loss, {what}");
        Assert.Equal(Loss("by hand, all threads"), Loss("trainer"), tolerance: 0.02);
        Assert.Equal(Loss("trainer"), Loss("bfloat16"), tolerance: 0.02);
        Assert.Equal(Loss("bfloat16, batch × 4"), Loss("bfloat16, batch × 4 in parts"), tolerance: 0.02);
        Assert.Equal(Loss("bfloat16, batch × 4"), Loss("bfloat16, batch × 4, recomputed blocks"), tolerance: 0.02);
    }

    [Fact]
    public void Another_language_gives_the_same_number()
    {
        Assert.Equal(Recorded("06-speech-with-lstm-and-gru", "CTC loss of the tiny example, enumeration"),
            Recorded("06-speech-with-lstm-and-gru", "CTC loss of the tiny example, recursion"), tolerance: 1e-5);
        string[] kinds = ["wrong sound", "wrong stress", "extra sound", "missing sound"];
        Assert.Equal(1, kinds.Sum(kind => Recorded("04-spelling-to-sound-with-t5", $"share of errors, {kind}")), tolerance: 1e-9);
    }

    private static double Recorded(string notebook, string metric)
    {
        var committed = JsonNode.Parse(File.ReadAllText(Repository.PathTo("notebooks", $"{notebook}.ipynb")))!;
        if (committed["metadata"]?["researchkit"]?["runs"]?.AsArray() is [var run, ..])
            return (double)run!["metrics"]![metric]!["value"]!;
        var cells = committed["cells"]!.AsArray();   // the last run was made before notebooks kept the numbers of their record
        var record = cells.SelectMany(cell => cell!["outputs"]?.AsArray() ?? []).Select(Text)
            .Last(text => text.StartsWith("run of", StringComparison.Ordinal));
        var line = Regex.Match(record, $@"^  {Regex.Escape(metric)} +(\S+) \w", RegexOptions.Multiline);
        Assert.True(line.Success, $"{metric} is not in:\n{record}");
        return double.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static string Text(JsonNode? output) => output?["data"]?["text/plain"] switch
    {
        JsonArray lines => string.Concat(lines.Select(line => (string)line!)),
        JsonValue text => (string)text!,
        _ => "",
    };
}
