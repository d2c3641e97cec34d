using static TorchSharp.torch;

namespace ResearchKit.Metrics;

public static partial class Metric
{
    /// <summary>Share of targets that are the class with the largest logit.</summary>
    /// <remarks>Takes logits [..., classes] and targets int64 [...]; a target of -100 is ignored.</remarks>
    public static Metric<Tensor> Accuracy { get; } = new("accuracy", "share", (logits, targets) =>
    {
        using var scope = NewDisposeScope();
        var (rows, classes) = Predictions.Rows(logits, targets);
        return new(rows.argmax(1).eq(classes).sum().item<long>(), classes.shape[0]);
    }, Ratio);

    /// <summary>Share of targets that are among the <paramref name="k"/> classes with the largest logits.</summary>
    /// <remarks>
    /// Takes logits [..., classes] and targets int64 [...]; a target of -100 is ignored. Of equal logits, those of lower classes
    /// come first.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1.</exception>
    public static Metric<Tensor> TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        return new($"top-{k} accuracy", "share", (logits, targets) =>
        {
            using var scope = NewDisposeScope();
            var (rows, classes) = Predictions.Rows(logits, targets);
            var own = rows.gather(1, classes.unsqueeze(1));
            var lower = arange(rows.shape[1], device: rows.device).unsqueeze(0) < classes.unsqueeze(1);
            var ahead = (rows > own) | (rows.eq(own) & lower);
            return new((ahead.sum(1) < k).sum().item<long>(), classes.shape[0]);
        }, Ratio);
    }

    /// <summary>Precision: of the predictions of a class, the share that is right.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="average">How the classes are averaged.</param>
    /// <remarks>Takes logits [..., classes] and targets int64 [...]; 0 for a class that is never predicted.</remarks>
    public static Metric<Tensor> Precision(int classes, Average average = Average.Macro) =>
        OfMatrix("precision", classes, average, matrix => matrix.Precision(average));

    /// <summary>Recall: of the targets of a class, the share that is predicted.</summary>
    /// <inheritdoc cref="Precision(int, Average)"/>
    /// <remarks>Takes logits [..., classes] and targets int64 [...]; 0 for a class that is never a target.</remarks>
    public static Metric<Tensor> Recall(int classes, Average average = Average.Macro) =>
        OfMatrix("recall", classes, average, matrix => matrix.Recall(average));

    /// <summary>F1: the harmonic mean of precision and recall.</summary>
    /// <inheritdoc cref="Precision(int, Average)"/>
    /// <remarks>Takes logits [..., classes] and targets int64 [...].</remarks>
    public static Metric<Tensor> F1(int classes, Average average = Average.Macro) =>
        OfMatrix("F1", classes, average, matrix => matrix.F1(average));

    /// <summary>
    /// Expected calibration error: the mean distance between the confidence of predictions and their accuracy, over bins of
    /// confidence.
    /// </summary>
    /// <param name="bins">Bins of equal width between 0 and 1; a bin includes its upper bound.</param>
    /// <remarks>
    /// Guo et al., 2017, https://arxiv.org/abs/1706.04599. Takes logits [..., classes] and targets int64 [...]. The confidence
    /// is the largest probability.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bins"/> is below 1.</exception>
    public static Metric<Tensor> CalibrationError(int bins = 15)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        return new("calibration error", "share", (logits, targets) =>
        {
            using var scope = NewDisposeScope();
            var (rows, classes) = Predictions.Rows(logits, targets);
            var (confidence, predicted) = rows.to(float64).softmax(1).max(1);
            var bin = (confidence * bins).ceil().sub_(1).clamp_(0, bins - 1).to(int64);
            Tensor Summed(Tensor values) => zeros([bins], float64, device: rows.device).index_add_(0, bin, values, 1);
            return new([.. Doubles(Summed(predicted.eq(classes).to(float64))), .. Doubles(Summed(confidence)), classes.shape[0]],
                []);
        }, state => Enumerable.Range(0, bins)
            .Sum(bin => Math.Abs(state.Sums[bin] - state.Sums[bins + bin])) / state.Sums[2 * bins], higherIsBetter: false);
    }

    private static Metric<Tensor> OfMatrix(string name, int classes, Average average, Func<ConfusionMatrix, double> value) =>
        new($"{name} ({average.ToString().ToLowerInvariant()})", "share",
            (logits, targets) => new([.. ConfusionMatrix.Of(logits, targets, classes).Counts.Cast<long>()
                .Select(count => (double)count)], []),
            state => value(ConfusionMatrix.FromSums(state.Sums, classes)));
}
