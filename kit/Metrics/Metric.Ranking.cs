using static TorchSharp.torch;

namespace ResearchKit.Metrics;

public static partial class Metric
{
    /// <summary>
    /// Area under the ROC curve: the probability that a positive example has a higher score than a negative one, ties counting
    /// half.
    /// </summary>
    /// <remarks>
    /// Fawcett, 2006. Takes scores [n] or [n, 1], or logits [n, 2] of which the difference counts, and targets [n] of 0 and 1.
    /// It keeps two numbers for each example. NaN where all targets are the same.
    /// </remarks>
    public static Metric<Tensor> RocAuc { get; } = new("ROC AUC", "share", (scores, targets) =>
    {
        using var scope = NewDisposeScope();
        var single = scores.dim() == 2 && scores.shape[1] == 2 ? scores.select(1, 1) - scores.select(1, 0) : scores;
        var (score, label) = Predictions.Pairs(single, targets);
        if (!label.eq(0).logical_or(label.eq(1)).all().item<bool>())
            throw new ArgumentException("A target is neither 0 nor 1.", nameof(targets));
        return new([], Doubles(stack([score, label], 1)));
    }, state => AreaUnderRoc(state.Scores));

    /// <summary>ROC AUC of each class against the others by its probability, averaged over the classes that occur.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <remarks>
    /// scikit-learn's <c>roc_auc_score(multi_class="ovr")</c>. Takes logits [..., classes] and targets int64 [...]. NaN with
    /// fewer than two classes among the targets.
    /// </remarks>
    public static Metric<Tensor> RocAucOneVersusRest(int classes) =>
        new("ROC AUC (one versus rest)", "share", (logits, targets) =>
    {
        using var scope = NewDisposeScope();
        var (rows, wanted) = Predictions.Rows(logits, targets);
        if (rows.shape[1] != classes)
            throw new ArgumentException($"Got logits of {rows.shape[1]} classes; expected {classes}.", nameof(logits));
        return new([], Doubles(cat([rows.to(float64).softmax(1), wanted.to(float64).unsqueeze(1)], 1)));
    }, state =>
    {
        var rows = state.Scores.Chunk(classes + 1).ToList();
        var areas = Enumerable.Range(0, classes)
            .Select(label => AreaUnderRoc([.. rows.SelectMany(row => new[] { row[label], row[classes] == label ? 1.0 : 0.0 })]))
            .Where(area => !double.IsNaN(area)).ToList();
        return areas.Count == 0 ? double.NaN : areas.Average();
    });

    /// <summary>By ranks (Mann and Whitney, 1947): equal scores share their mean rank.</summary>
    private static double AreaUnderRoc(IReadOnlyList<double> pairs)
    {
        var examples = Enumerable.Range(0, pairs.Count / 2).Select(i => (Score: pairs[2 * i], Positive: pairs[(2 * i) + 1] > 0))
            .OrderBy(pair => pair.Score).ToArray();
        double positives = examples.Count(example => example.Positive), ranks = 0;
        for (var first = 0; first < examples.Length;)
        {
            var last = first;
            while (last + 1 < examples.Length && examples[last + 1].Score.Equals(examples[first].Score)) last++;
            for (var i = first; i <= last; i++)
                if (examples[i].Positive) ranks += 1 + ((first + last) / 2.0);
            first = last + 1;
        }
        var negatives = examples.Length - positives;
        return positives == 0 || negatives == 0
            ? double.NaN : (ranks - (positives * (positives + 1) / 2)) / (positives * negatives);
    }
}
